output "outputs" {
  description = "The stack's outputs: FunctionName, SecretArn, TopicArn and the rest."
  value       = aws_cloudformation_stack.this.outputs
}
