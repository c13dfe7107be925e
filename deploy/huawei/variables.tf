# What a deployment sets, in terraform.tfvars. docs/deploy-huawei.md says more of each.
variable "region" {
  description = "Region of IoTDA, and of all that this stack makes, such as cn-north-4."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,31}$", var.region))
    error_message = "The region is a name such as cn-north-4."
  }
}

variable "bucket" {
  description = "Name of the bucket that this stack makes for the archive; no other bucket in OBS may have it."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "The bucket has 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "iotda_endpoint" {
  description = "Address of IoTDA, as the instance overview of the console shows it for applications."
  type        = string
  validation {
    condition     = can(regex("^https://[A-Za-z0-9.-]+$", var.iotda_endpoint))
    error_message = "The address begins with https:// and has no path."
  }
}

variable "iotda_project_id" {
  description = "Project id of the region, as My Credentials of the console shows it."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.iotda_project_id))
    error_message = "The project id has 1 to 64 letters, digits, _ and -."
  }
}

variable "iotda_instance_id" {
  description = "Instance id, as the instance overview shows it; empty for the only instance."
  type        = string
  default     = ""
}

variable "alarm_email" {
  description = "Mail address that alarms go to. Its owner confirms the subscription by a link."
  type        = string
  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "The mail address has one @."
  }
}

variable "user_name" {
  description = "IAM user in whose name LTS sends its alarms."
  type        = string
}

variable "time_zone" {
  description = "IANA name of the time zone of timers and reports."
  type        = string
  default     = "Asia/Shanghai"
  validation {
    condition     = can(regex("^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$", var.time_zone))
    error_message = "The time zone is an IANA name such as Asia/Shanghai."
  }
}

variable "archive_id" {
  description = "The archive that must lie in the bucket: archiveId of archive.json, after the first night. Empty: any."
  type        = string
  default     = ""
}

variable "deletion" {
  description = "never archives and keeps; after-verify deletes the task of an export that is archived and proved."
  type        = string
  default     = "never"
  validation {
    condition     = contains(["never", "after-verify"], var.deletion)
    error_message = "The deletion is never or after-verify."
  }
}

variable "retention_policy" {
  description = "The retention policy's JSON, or store:KEY for a document in the bucket (docs/retention.md)."
  type        = string
  default     = "{\"schemaVersion\":1,\"default\":{\"keepDays\":\"forever\",\"lock\":\"none\"}}"
}

variable "log_retention_days" {
  description = "How long LTS keeps the log."
  type        = number
  default     = 90
  validation {
    condition     = var.log_retention_days >= 1 && var.log_retention_days <= 365
    error_message = "LTS keeps a log for 1 to 365 days."
  }
}

variable "forward_batch_tasks" {
  description = "Whether ends of batch tasks request exports. Only standard and enterprise instances of IoTDA forward them."
  type        = bool
  default     = false
}

variable "further_settings" {
  description = "Further settings without secrets, by their names in the README, such as ARCHIVER_LANGUAGE."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.further_settings) : !contains(["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN", "ARCHIVER_EVENT_SECRET", "ARCHIVER_HEARTBEAT_URL", "ARCHIVER_NOTIFY", "ARCHIVER_SMTP", "HTTP_PROXY", "HTTPS_PROXY"], name)])
    error_message = "Keys and addresses of people are secrets: the functions need no key, and addresses go into secret_settings."
  }
}

variable "secret_settings" {
  description = "Settings that hold secrets, by name: ARCHIVER_HEARTBEAT_URL, ARCHIVER_NOTIFY, ARCHIVER_SMTP. Stored encrypted."
  type        = map(string)
  default     = {}
  sensitive   = true
  validation {
    condition     = alltrue([for name in keys(var.secret_settings) : contains(["ARCHIVER_HEARTBEAT_URL", "ARCHIVER_NOTIFY", "ARCHIVER_SMTP"], name)])
    error_message = "The names are ARCHIVER_HEARTBEAT_URL, ARCHIVER_NOTIFY and ARCHIVER_SMTP."
  }
}

variable "package_file" {
  description = "The package that npm run package:huawei makes."
  type        = string
  default     = "../../dist/huawei/iotda-archiver.zip"
}
