# Every alarm tells one topic. docs/runbook.md has a section for each.
resource "huaweicloud_smn_topic" "alarms" {
  name         = "iotda-archiver-alarms"
  display_name = "iotda-archiver"
}

resource "huaweicloud_smn_subscription" "mail" {
  topic_urn = huaweicloud_smn_topic.alarms.topic_urn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# An invocation fails when its run fails. Alarms count what FunctionGraph sees of that.
resource "huaweicloud_ces_alarmrule" "errors" {
  for_each = local.functions

  alarm_name           = "iotda-archiver-${each.key}-errors"
  alarm_description    = "The ${each.key} function failed, ran out of memory or of time. docs/runbook.md, \"errors\""
  alarm_enabled        = true
  alarm_action_enabled = true

  metric {
    namespace = "SYS.FunctionGraph"
  }
  resources {
    dimensions {
      name  = "package-functionname"
      value = "default-${huaweicloud_fgs_function.archiver[each.key].name}"
    }
  }
  condition {
    metric_name         = "failcount"
    period              = 300
    filter              = "sum"
    comparison_operator = ">="
    value               = 1
    count               = 1
    suppress_duration   = 3600
    alarm_level         = 2
  }
  alarm_actions {
    type              = "notification"
    notification_list = [huaweicloud_smn_topic.alarms.topic_urn]
  }
  ok_actions {
    type              = "notification"
    notification_list = [huaweicloud_smn_topic.alarms.topic_urn]
  }
}

# Words of the log that somebody has to look at: the function that writes them, and the level.
locals {
  log_alarms = {
    export-lost   = { function = "archive", field = "message", word = "export-lost", section = "exports-lost", level = "CRITICAL" }
    dead-lettered = { function = "archive", field = "outcome", word = "dead-lettered", section = "dead-letters", level = "CRITICAL" }
    damage        = { function = "inventory", field = "message", word = "damage", section = "copies-damaged", level = "CRITICAL" }
    missing       = { function = "retain", field = "message", word = "missing", section = "damaged-objects", level = "CRITICAL" }
  }
}

resource "huaweicloud_lts_keywords_alarm_rule" "log" {
  for_each = local.log_alarms

  name               = "iotda-archiver-${each.key}"
  alarm_level        = each.value.level
  description        = "docs/runbook.md, \"${each.value.section}\""
  send_notifications = true

  keywords_requests {
    # The whole field: the word alone also stands in counts that are 0.
    keywords               = "\"${each.value.field}\":\"${each.value.word}\""
    condition              = ">="
    number                 = 1
    log_group_id           = huaweicloud_lts_group.archiver.id
    log_stream_id          = huaweicloud_lts_stream.archiver[each.value.function].id
    search_time_range      = 15
    search_time_range_unit = "minute"
  }
  frequency {
    type            = "FIXED_RATE"
    fixed_rate      = 15
    fixed_rate_unit = "minute"
  }
  notification_rule {
    template_name = "keywords_template"
    user_name     = var.user_name
    topics {
      name      = huaweicloud_smn_topic.alarms.name
      topic_urn = huaweicloud_smn_topic.alarms.topic_urn
    }
  }
}
