# When the functions start. Cron has six fields here, with seconds; the hours are those of var.time_zone.
locals {
  timers = {
    archive-night    = { function = "archive", type = "Cron", schedule = "0 0/15 0-5 * * *", event = { when = "always" } }
    archive-pressure = { function = "archive", type = "Cron", schedule = "0 0 6-23 * * *", event = { when = "pressure" } }
    discover         = { function = "discover", type = "Rate", schedule = "10m", event = null }
    retain           = { function = "retain", type = "Cron", schedule = "0 50 7 * * *", event = null }
    expire           = { function = "expire", type = "Cron", schedule = "0 5 2 * * *", event = null }
    inventory        = { function = "inventory", type = "Cron", schedule = "0 20 7 * * *", event = null }
    report           = { function = "report", type = "Cron", schedule = "0 10 8 * * *", event = null }
  }
}

resource "huaweicloud_fgs_function_trigger" "timer" {
  for_each = local.timers

  function_urn = huaweicloud_fgs_function.archiver[each.value.function].urn
  type         = "TIMER"
  status       = "ACTIVE"
  event_data = jsonencode({
    name          = each.key
    schedule_type = each.value.type
    schedule      = each.value.type == "Cron" ? "CRON_TZ=${var.time_zone} ${each.value.schedule}" : each.value.schedule
    user_event    = each.value.event == null ? "" : jsonencode(each.value.event)
  })
}

resource "huaweicloud_iotda_dataforwarding_rule" "batch_tasks" {
  count = var.forward_batch_tasks ? 1 : 0

  name    = "iotda-archiver-batch-tasks"
  trigger = "batchtask:update"
  enabled = true

  targets {
    type = "FUNCTIONGRAPH_FORWARDING"
    fgs_forwarding {
      func_urn  = huaweicloud_fgs_function.archiver["exportEvents"].urn
      func_name = huaweicloud_fgs_function.archiver["exportEvents"].name
    }
  }
}
