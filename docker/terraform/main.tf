# Riposte, one module an environment: what docker/cloudformation/riposte.yml makes, for who uses Terraform or OpenTofu.
# EventBridge rules, connection and API destination, a load balancer, one Fargate task with its journal on EFS, dead
# letters and alarms. Starts in observe.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.90"
    }
  }
}

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  name       = "riposte-${var.environment}"
  account    = data.aws_caller_identity.here.account_id
  partition  = data.aws_partition.here.partition
  region     = data.aws_region.here.name
  is_private = var.delivery == "private"
  topics     = var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn]

  # As `riposte export` prints them; docker/cloudformation/generate.py writes the files.
  exported = { for rule in jsondecode(file("${path.module}/exported/event-patterns.json")) : trimprefix(rule.name, "riposte-") => rule }
  rules    = merge(local.exported, { canary = { state = "ENABLED", pattern = local.canaries } })

  canary = "riposte-${var.environment}-canary-${data.aws_region.here.name}"
  expected_canaries = "[${join(",", concat([
    jsonencode({ region = local.region, resource = aws_sqs_queue.dead_letters.arn, role = aws_iam_role.canary.arn }),
    jsonencode({ region = "us-east-1", resource = aws_iam_role.canary.arn, role = aws_iam_role.canary.arn })
  ], var.more_canaries))}]"
  canaries = {
    source      = ["aws.sqs", "aws.iam"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail = {
      eventName    = ["TagQueue", "TagRole"]
      userIdentity = { sessionContext = { sessionIssuer = { arn = [{ wildcard = "arn:aws*:iam::*:role/riposte-*-canary-*" }] } } }
    }
  }
}

# ---- from EventBridge ---------------------------------------------------------------------------

# The state holds its value: keep the state as secret as the secret.
data "aws_secretsmanager_secret_version" "secrets" {
  secret_id = var.secrets
}

resource "aws_cloudwatch_event_connection" "connection" {
  name               = local.name
  description        = "To Riposte"
  authorization_type = "API_KEY"
  auth_parameters {
    api_key {
      key   = "X-Api-Key"
      value = jsondecode(data.aws_secretsmanager_secret_version.secrets.secret_string)["events"]
    }
  }
  dynamic "invocation_connectivity_parameters" {
    for_each = aws_vpclattice_resource_configuration.private_way
    content {
      resource_parameters {
        resource_configuration_arn = invocation_connectivity_parameters.value.arn
      }
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "api_destination" {
  name                             = local.name
  connection_arn                   = aws_cloudwatch_event_connection.connection.arn
  http_method                      = "POST"
  invocation_endpoint              = "https://${var.domain_name}/events"
  invocation_rate_limit_per_second = 300
}

resource "aws_iam_role" "delivery" {
  name = "${local.name}-delivery"
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

resource "aws_iam_role_policy" "delivery" {
  name = "deliver"
  role = aws_iam_role.delivery.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:InvokeApiDestination", Resource = aws_cloudwatch_event_api_destination.api_destination.arn }]
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
  arn       = aws_cloudwatch_event_api_destination.api_destination.arn
  role_arn  = aws_iam_role.delivery.arn
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

# ---- canary -------------------------------------------------------------------------------------

# Tags the queue, and for IAM this role itself, every five minutes with the time: CloudTrail logs it, and Riposte pages when it
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
      },
      {
        Effect    = "Allow"
        Action    = "iam:TagRole"
        Resource  = "arn:${local.partition}:iam::${local.account}:role/${local.canary}"
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

# IAM's events come in us-east-1: there module region forwards them.
resource "aws_scheduler_schedule" "canary_of_iam" {
  name                = "${local.name}-canary-iam"
  description         = "Tags the canary's own role so that the trail has something of IAM to log"
  schedule_expression = "rate(5 minutes)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:iam:tagRole"
    role_arn = aws_iam_role.canary.arn
    input    = "{\"RoleName\":\"${local.canary}\",\"Tags\":[{\"Key\":\"riposte-canary\",\"Value\":\"<aws.scheduler.scheduled-time>\"}]}"
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 1
    }
  }
}

# ---- in -----------------------------------------------------------------------------------------

# EventBridge to the load balancer inside, when delivery is private.
resource "aws_security_group" "gateway" {
  count       = local.is_private ? 1 : 0
  name        = "${local.name}-gateway"
  description = "Riposte, the way in from EventBridge"
  vpc_id      = var.vpc
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_vpclattice_resource_gateway" "gateway" {
  count              = local.is_private ? 1 : 0
  name               = local.name
  vpc_id             = var.vpc
  subnet_ids         = var.private_subnets
  security_group_ids = [aws_security_group.gateway[0].id]
  ip_address_type    = "IPV4"
  tags               = { riposte = var.environment }
}

resource "aws_vpclattice_resource_configuration" "private_way" {
  count                       = local.is_private ? 1 : 0
  name                        = local.name
  type                        = "SINGLE"
  resource_gateway_identifier = aws_vpclattice_resource_gateway.gateway[0].id
  protocol                    = "TCP"
  port_ranges                 = ["443"]
  resource_configuration_definition {
    dns_resource {
      domain_name     = aws_lb.events.dns_name
      ip_address_type = "IPV4"
    }
  }
  tags = { riposte = var.environment }
}

resource "aws_security_group" "events" {
  name        = "${local.name}-events"
  description = "Riposte, the load balancer that EventBridge posts to"
  vpc_id      = var.vpc
  ingress {
    description     = "EventBridge has no list of addresses"
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    cidr_blocks     = local.is_private ? [] : ["0.0.0.0/0"]
    security_groups = aws_security_group.gateway[*].id
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "admin" {
  name        = "${local.name}-admin"
  description = "Riposte, the internal load balancer of the admin port"
  vpc_id      = var.vpc
  ingress {
    description     = "operators"
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    security_groups = [var.admin_security_group]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "task" {
  name        = "${local.name}-task"
  description = "Riposte, the task"
  vpc_id      = var.vpc
  ingress {
    description     = "events"
    from_port       = 8443
    to_port         = 8443
    protocol        = "tcp"
    security_groups = [aws_security_group.events.id]
  }
  ingress {
    description     = "admin"
    from_port       = 9443
    to_port         = 9443
    protocol        = "tcp"
    security_groups = [aws_security_group.admin.id]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "events" {
  # Another scheme is another load balancer, and names are unique.
  name                       = local.is_private ? "${local.name}-inside" : local.name
  load_balancer_type         = "application"
  internal                   = local.is_private
  subnets                    = local.is_private ? var.private_subnets : var.public_subnets
  security_groups            = [aws_security_group.events.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = true
}

resource "aws_lb_listener" "events" {
  load_balancer_arn = aws_lb.events.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "no such path"
    }
  }
}

resource "aws_lb_listener_rule" "events" {
  listener_arn = aws_lb_listener.events.arn
  priority     = 1
  condition {
    path_pattern {
      values = ["/events"]
    }
  }
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.events.arn
  }
}

resource "aws_lb_target_group" "events" {
  name                 = "${local.name}-events"
  vpc_id               = var.vpc
  target_type          = "ip"
  port                 = 8443
  protocol             = "HTTPS"
  deregistration_delay = 5
  health_check {
    protocol            = "HTTPS"
    path                = "/readyz"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb" "admin" {
  name               = "${local.name}-admin"
  load_balancer_type = "application"
  internal           = true
  subnets            = var.private_subnets
  security_groups    = [aws_security_group.admin.id]
}

resource "aws_lb_listener" "admin" {
  load_balancer_arn = aws_lb.admin.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.admin.arn
  }
}

resource "aws_lb_target_group" "admin" {
  name                 = "${local.name}-admin"
  vpc_id               = var.vpc
  target_type          = "ip"
  port                 = 9443
  protocol             = "HTTPS"
  deregistration_delay = 5
  health_check {
    protocol = "HTTPS"
    path     = "/healthz"
  }
}

# ---- the journal: one writer --------------------------------------------------------------------

resource "aws_security_group" "journal" {
  name        = "${local.name}-journal"
  description = "Riposte, the journal"
  vpc_id      = var.vpc
  ingress {
    description     = "the task"
    from_port       = 2049
    to_port         = 2049
    protocol        = "tcp"
    security_groups = [aws_security_group.task.id]
  }
}

resource "aws_efs_file_system" "journal" {
  encrypted = true
  tags      = { Name = local.name, riposte = var.environment }
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_efs_backup_policy" "journal" {
  file_system_id = aws_efs_file_system.journal.id
  backup_policy {
    status = "ENABLED"
  }
}

resource "aws_efs_mount_target" "journal" {
  count           = 2
  file_system_id  = aws_efs_file_system.journal.id
  subnet_id       = var.private_subnets[count.index]
  security_groups = [aws_security_group.journal.id]
}

resource "aws_efs_access_point" "journal" {
  file_system_id = aws_efs_file_system.journal.id
  posix_user {
    uid = 10001
    gid = 10001
  }
  root_directory {
    path = "/journal"
    creation_info {
      owner_uid   = 10001
      owner_gid   = 10001
      permissions = "0700"
    }
  }
  tags = { riposte = var.environment }
}

# ---- the task -----------------------------------------------------------------------------------

resource "aws_cloudwatch_log_group" "log" {
  name              = "/riposte/${var.environment}"
  retention_in_days = 90
  skip_destroy      = true
}

locals {
  tasks_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "respond" {
  name   = "respond"
  role   = aws_iam_role.task.name
  policy = file("${path.module}/exported/iam-policy.json")
}

resource "aws_iam_role_policy" "own" {
  name = "own"
  role = aws_iam_role.task.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "ReadSecrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.secrets },
      # When a canary is stale.
      { Sid = "AskTrails", Effect = "Allow", Action = ["cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"], Resource = "*" },
      {
        Sid       = "Journal"
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.journal.arn
        Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = aws_efs_access_point.journal.arn } }
      }
    ]
  })
}

resource "aws_ecs_cluster" "cluster" {
  name = local.name
}

resource "aws_ecs_task_definition" "task" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }
  volume {
    name = "journal"
    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.journal.id
      transit_encryption = "ENABLED"
      authorization_config {
        access_point_id = aws_efs_access_point.journal.id
        iam             = "ENABLED"
      }
    }
  }
  container_definitions = jsonencode([{
    name                   = "riposte"
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, tmpfs = [{ containerPath = "/tmp", size = 16 }] }
    stopTimeout            = 60
    ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    portMappings           = [{ containerPort = 8443 }, { containerPort = 9443 }]
    mountPoints            = [{ sourceVolume = "journal", containerPath = "/var/lib/riposte" }]
    command                = ["serve", "-c", "/etc/riposte/riposte.json"]
    environment = [
      { name = "RIPOSTE_MODE", value = var.mode },
      { name = "RIPOSTE_ADMIN_ADDRESS", value = "0.0.0.0" },
      # All events come from the load balancer's addresses.
      { name = "RIPOSTE_LISTEN_CONNECTIONS_PER_ADDRESS", value = "0" },
      # The task asks for them itself and hears of a rotation while it runs.
      { name = "RIPOSTE_AUTHENTICATE_SECRETS_FROM", value = "secretsmanager:${var.secrets}#events" },
      { name = "RIPOSTE_ADMIN_TOKEN_FROM", value = "secretsmanager:${var.secrets}#admin" },
      { name = "RIPOSTE_CANARY", value = local.expected_canaries }
    ]
    # It is not ready while the task before still holds the journal (settings: journal_wait).
    healthCheck = { command = ["CMD", "/usr/bin/riposte", "health"], interval = 10, timeout = 5, retries = 3, startPeriod = 240 }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.log.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "riposte"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }])
}

resource "aws_ecs_service" "service" {
  name             = local.name
  cluster          = aws_ecs_cluster.cluster.id
  task_definition  = aws_ecs_task_definition.task.arn
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  desired_count    = 1
  # The old task ends before the new one starts: the journal has one writer. EventBridge tries again.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  availability_zone_rebalancing      = "DISABLED"
  health_check_grace_period_seconds  = 240
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    assign_public_ip = false
    subnets          = slice(var.private_subnets, 0, 2)
    security_groups  = [aws_security_group.task.id]
  }
  load_balancer {
    container_name   = "riposte"
    container_port   = 8443
    target_group_arn = aws_lb_target_group.events.arn
  }
  load_balancer {
    container_name   = "riposte"
    container_port   = 9443
    target_group_arn = aws_lb_target_group.admin.arn
  }
  depends_on = [aws_lb_listener_rule.events, aws_lb_listener.admin, aws_efs_mount_target.journal, aws_iam_role_policy.own]
}

# ---- alarms -------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${local.name}-dead-letters"
  alarm_description   = "Events could not be delivered; they wait in the queue"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
}

resource "aws_cloudwatch_metric_alarm" "not_ready" {
  alarm_name          = "${local.name}-not-ready"
  alarm_description   = "No task takes events"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = aws_lb.events.arn_suffix, TargetGroup = aws_lb_target_group.events.arn_suffix }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = local.topics
}

# Riposte logs an error line for everything that a person must look at: held, failed, canary.
resource "aws_cloudwatch_log_metric_filter" "look" {
  name           = "${local.name}-look"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = "{ $.level = \"error\" }"
  metric_transformation {
    namespace     = "Riposte/${var.environment}"
    name          = "ErrorLines"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "look" {
  alarm_name          = "${local.name}-look"
  alarm_description   = "An incident is held, a response failed, or something else needs a person"
  namespace           = "Riposte/${var.environment}"
  metric_name         = "ErrorLines"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
}

# A canary that is stale, an incident that is held, a response that failed: each logs a line that a person must read.
resource "aws_cloudwatch_log_metric_filter" "canary_stale" {
  name           = "${local.name}-canary-stale"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = "{ $.level = \"error\" && $.rule = \"riposte-canary\" }"
  metric_transformation {
    namespace     = "Riposte/${var.environment}"
    name          = "CanaryStale"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "canary_stale" {
  alarm_name          = "${local.name}-canary-stale"
  alarm_description   = "No canary came for too long; API calls may go unseen"
  namespace           = "Riposte/${var.environment}"
  metric_name         = "CanaryStale"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
}

resource "aws_cloudwatch_log_metric_filter" "held" {
  name           = "${local.name}-held"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = "{ $.level = \"error\" && $.state = \"held\" }"
  metric_transformation {
    namespace     = "Riposte/${var.environment}"
    name          = "Held"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "held" {
  alarm_name          = "${local.name}-held"
  alarm_description   = "An incident is held; nobody is contained until somebody approves it"
  namespace           = "Riposte/${var.environment}"
  metric_name         = "Held"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
}

resource "aws_cloudwatch_log_metric_filter" "failed" {
  name           = "${local.name}-failed"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = "{ $.level = \"error\" && $.state = \"failed\" }"
  metric_transformation {
    namespace     = "Riposte/${var.environment}"
    name          = "Failed"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "${local.name}-failed"
  alarm_description   = "A response failed; what it should have done is to be done by hand"
  namespace           = "Riposte/${var.environment}"
  metric_name         = "Failed"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
}
