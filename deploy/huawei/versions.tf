terraform {
  required_version = ">= 1.5"

  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = "~> 1.97"
    }
  }
}

# Who deploys gives the keys in HW_ACCESS_KEY and HW_SECRET_KEY. The functions get none: each has an agency.
provider "huaweicloud" {
  region = var.region
}
