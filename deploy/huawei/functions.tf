# The functions of the package, all from one zip: the handler says which one an instance is. Memory in MB, time-out in
# seconds. OBS has no compare-and-swap, so there is one instance at a time of each function that a timer starts.
locals {
  functions = {
    archive      = { memory = 512, timeout = 840, instances = 1, description = "Downloads finished exports, stores, verifies and records them, then deletes the export tasks" }
    discover     = { memory = 256, timeout = 300, instances = 1, description = "Enqueues finished exports, oldest first" }
    retain       = { memory = 256, timeout = 840, instances = 1, description = "Records what the retention policy asks of archived exports" }
    expire       = { memory = 256, timeout = 840, instances = 1, description = "Removes archived exports whose time is over; nothing else removes any" }
    inventory    = { memory = 512, timeout = 840, instances = 1, description = "Brings the catalogue up to date, reads copies again, and looks for damage and orphans" }
    report       = { memory = 512, timeout = 300, instances = 1, description = "Makes the page of the night, and tells those who are to hear of it" }
    exportEvents = { memory = 256, timeout = 30, instances = 5, description = "Takes events of batch tasks" }
  }

  # By their names in the README, "Settings".
  settings = {
    ARCHIVER_IOTDA_ENDPOINT       = var.iotda_endpoint
    ARCHIVER_IOTDA_REGION         = var.region
    ARCHIVER_IOTDA_PROJECT_ID     = var.iotda_project_id
    ARCHIVER_IOTDA_INSTANCE_ID    = var.iotda_instance_id
    ARCHIVER_PLATFORM_CREDENTIALS = "agency"
    ARCHIVER_STORE                = "s3://${huaweicloud_obs_bucket.archive.bucket}"
    ARCHIVER_STORE_PROFILE        = "obs"
    ARCHIVER_STORE_CREDENTIALS    = "agency"
    ARCHIVER_QUEUE                = "store:"
    ARCHIVER_ARCHIVE_ID           = var.archive_id
    ARCHIVER_DELETE               = var.deletion
    ARCHIVER_RETENTION_POLICY     = var.retention_policy
    ARCHIVER_TIME_ZONE            = var.time_zone
    AWS_REGION                    = var.region
    AWS_ENDPOINT_URL_S3           = "https://obs.${var.region}.myhuaweicloud.com"
  }

  # Those that ping the check or tell people.
  tellers = ["archive", "discover", "report"]
}

resource "huaweicloud_fgs_function" "archiver" {
  for_each = local.functions

  name             = "iotda-archiver-${each.key}"
  description      = each.value.description
  app              = "default"
  runtime          = "Custom"
  handler          = "${each.key}.handler"
  memory_size      = each.value.memory
  timeout          = each.value.timeout
  max_instance_num = tostring(each.value.instances)

  code_type = "obs"
  code_url  = "https://${huaweicloud_obs_bucket.code.bucket_domain_name}/${huaweicloud_obs_bucket_object.code.key}"

  agency     = huaweicloud_identity_agency.function[each.key].name
  app_agency = huaweicloud_identity_agency.function[each.key].name

  user_data           = jsonencode({ for name, text in merge(var.further_settings, local.settings) : name => text if text != "" })
  encrypted_user_data = contains(local.tellers, each.key) && length(var.secret_settings) > 0 ? jsonencode(var.secret_settings) : null

  enable_lts_log  = true
  log_group_id    = huaweicloud_lts_group.archiver.id
  log_group_name  = huaweicloud_lts_group.archiver.group_name
  log_stream_id   = huaweicloud_lts_stream.archiver[each.key].id
  log_stream_name = huaweicloud_lts_stream.archiver[each.key].stream_name
}

# A run that failed or was dropped is made up for by the next one, not repeated. The topic hears of it.
resource "huaweicloud_fgs_async_invoke_configuration" "archiver" {
  for_each = local.functions

  function_urn                   = huaweicloud_fgs_function.archiver[each.key].urn
  max_async_event_age_in_seconds = 60
  max_async_retry_attempts       = 0

  on_failure {
    destination = "SMN"
    param       = jsonencode({ topic_urn = huaweicloud_smn_topic.alarms.topic_urn })
  }
}
