# The archive's bucket, and the one of the packages. The archive outlives the stack: Terraform refuses to remove it.
resource "huaweicloud_obs_bucket" "archive" {
  bucket        = var.bucket
  acl           = "private"
  versioning    = true
  encryption    = true
  sse_algorithm = "AES256"
  force_destroy = false

  lifecycle_rule {
    name    = "unfinished-uploads"
    enabled = true
    abort_incomplete_multipart_upload {
      days = 1
    }
  }

  # OBS takes no prefix that begins or ends with a slash.
  lifecycle_rule {
    name    = "past-state"
    enabled = true
    prefix  = "state"
    noncurrent_version_expiration {
      days = 1
    }
  }

  lifecycle_rule {
    name    = "past-queue"
    enabled = true
    prefix  = "queue"
    noncurrent_version_expiration {
      days = 1
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "huaweicloud_obs_bucket" "code" {
  bucket        = "${var.bucket}-code"
  acl           = "private"
  encryption    = true
  sse_algorithm = "AES256"
  force_destroy = true
}

# The name changes with the package, so that functions see a new one.
resource "huaweicloud_obs_bucket_object" "code" {
  bucket     = huaweicloud_obs_bucket.code.bucket
  key        = "iotda-archiver-${filesha256(var.package_file)}.zip"
  source     = var.package_file
  encryption = true
}
