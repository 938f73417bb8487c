output "load_balancer" {
  description = "Point domain_name here"
  value       = aws_lb.events.dns_name
}

output "admin" {
  description = "The internal load balancer of the admin port"
  value       = aws_lb.admin.dns_name
}

output "dead_letters_url" {
  description = "For riposte redrive"
  value       = aws_sqs_queue.dead_letters.id
}

output "home_event_bus_arn" {
  description = "For module region, in other Regions"
  value       = "arn:${local.partition}:events:${local.region}:${local.account}:event-bus/default"
}

output "task_role_arn" {
  description = "For module member, in other accounts"
  value       = aws_iam_role.task.arn
}
