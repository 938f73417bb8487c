# Riposte, in every Region but its home: forwards to the home Region's default bus what its rules need. Needed in
# us-east-1 in any case, since IAM's events come there. The shape of docker/cloudformation/region.yml.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

variable "environment" {
  type    = string
  default = "prod"
}

variable "home_event_bus_arn" {
  description = "arn:aws:events:HOME-REGION:ACCOUNT:event-bus/default"
  type        = string
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  name      = "riposte-${var.environment}"
  account   = data.aws_caller_identity.here.account_id
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.name
  exported = { for rule in jsondecode(file("${path.module}/../exported/event-patterns.json")) : trimprefix(rule.name, "riposte-") => rule }
  rules    = merge(local.exported, { canary = { state = "ENABLED", pattern = local.canaries } })

  canary = "riposte-${var.environment}-canary-${data.aws_region.here.name}"
  canaries = {
    source      = ["aws.sqs", "aws.iam"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail = {
      eventName    = ["TagQueue", "TagRole"]
      userIdentity = { sessionContext = { sessionIssuer = { arn = [{ wildcard = "arn:aws*:iam::*:role/riposte-*-canary-*" }] } } }
    }
  }
}

resource "aws_iam_role" "forwarding" {
  name = "${local.name}-forwarding-${local.region}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "forwarding" {
  name = "forward"
  role = aws_iam_role.forwarding.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:PutEvents", Resource = var.home_event_bus_arn }]
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                       = "${local.name}-dead-letters"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 120
  sqs_managed_sse_enabled    = true
  lifecycle {
    ignore_changes = [tags, tags_all] # the canary's own
  }
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead_letters.arn
      Condition = { ArnLike = { "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${local.name}-*" } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "rule" {
  for_each      = local.rules
  name          = "${local.name}-${each.key}"
  description   = "Delivers to Riposte what its rules need (riposte export event-pattern)"
  state         = each.value.state
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "rule" {
  for_each  = local.rules
  rule      = aws_cloudwatch_event_rule.rule[each.key].name
  target_id = "riposte"
  arn       = var.home_event_bus_arn
  role_arn  = aws_iam_role.forwarding.arn
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

# ---- canary -------------------------------------------------------------------------------------

# Tags the queue every five minutes with the time: CloudTrail logs it, and Riposte pages when it
# comes no more. Whoever may take the role may do no more than that.
resource "aws_iam_role" "canary" {
  name = local.canary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
  lifecycle {
    ignore_changes = [tags, tags_all] # the canary's own
  }
}

resource "aws_iam_role_policy" "canary" {
  name = "tag"
  role = aws_iam_role.canary.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "sqs:TagQueue"
        Resource  = aws_sqs_queue.dead_letters.arn
        Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["riposte-canary"] } }
      }
    ]
  })
}

resource "aws_scheduler_schedule" "canary" {
  name                = "${local.name}-canary"
  description         = "Tags Riposte's queue so that the trail has something to log"
  schedule_expression = "rate(5 minutes)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:sqs:tagQueue"
    role_arn = aws_iam_role.canary.arn
    input    = "{\"QueueUrl\":\"${aws_sqs_queue.dead_letters.id}\",\"Tags\":{\"riposte-canary\":\"<aws.scheduler.scheduled-time>\"}}"
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 1
    }
  }
}

output "dead_letters_url" {
  description = "For riposte redrive"
  value       = aws_sqs_queue.dead_letters.id
}

output "canary" {
  description = "For more_canaries of the home module; an entry of the setting canary"
  value       = jsonencode({ region = local.region, resource = aws_sqs_queue.dead_letters.arn, role = aws_iam_role.canary.arn })
}
