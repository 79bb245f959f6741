# Settings of an account and its channels, as Conformity's Terraform provider has them. RTM-011's first pattern is rotated, as in the
# examples that were published.

variable "slack_url" {
  type      = string
  sensitive = true
}

locals {
  office = ["203.0.113.0/24", "198.51.100.7"]
}

resource "conformity_aws_account" "production" {
  name        = "production"
  environment = "production"
  role_arn    = "arn:aws:iam::123456789012:role/CloudConformity"
  external_id = data.conformity_external_id.external.external_id

  settings {
    rule {
      rule_id = "RDS-018"
      settings {
        enabled     = true
        risk_level  = "MEDIUM"
        rule_exists = false
        extra_settings {
          name  = "threshold"
          type  = "single-number-value"
          value = "90"
        }
      }
    }
    rule {
      rule_id = "RTM-007"
      settings {
        enabled     = true
        risk_level  = "HIGH"
        rule_exists = false
        exceptions {
          resources = ["deploy-bot"]
          tags      = ["environment::sandbox"]
        }
        extra_settings {
          name = "authorisedIps"
          type = "multiple-ip-values"
          dynamic "values" {
            for_each = local.office
            content {
              value = values.value
            }
          }
          values {
            value = "203.0.113.0/24"
          }
        }
        extra_settings {
          name  = "ttl"
          type  = "ttl"
          value = "2"
        }
      }
    }
    rule {
      rule_id = "RTM-008"
      settings {
        enabled     = true
        risk_level  = "MEDIUM"
        rule_exists = false
        extra_settings {
          name    = "authorisedRegions"
          type    = "regions"
          regions = ["eu-central-1", "us-east-1"]
        }
      }
    }
    rule {
      rule_id = "RTM-011"
      settings {
        enabled     = true
        risk_level  = "VERY_HIGH"
        rule_exists = false
        exceptions {
          resources = ["i-0123456789abcdef0", "sg-0123456789abcdef0"]
        }
        extra_settings {
          name = "patterns"
          type = "multiple-object-values"
          multiple_object_values {
            event_name         = "^(iam.amazonaws.com)"
            event_source       = "^(IAM).*"
            user_identity_type = "^(Delete).*"
          }
          multiple_object_values {
            event_name         = "StartInstances"
            event_source       = "^(ec2.amazonaws.com).*"
            user_identity_type = "^(IAM).*"
          }
          multiple_object_values {
            event_name         = "StopInstances"
            event_source       = "^(ec2.amazonaws.com).*"
            user_identity_type = "^(IAM).*"
          }
          multiple_object_values {
            event_name   = "^(?!Describe)"
            event_source = "kms"
          }
        }
        extra_settings {
          name  = "ttl"
          type  = "ttl"
          value = "72"
        }
      }
    }
  }
}

resource "conformity_communication_setting" "soc" {
  slack {
    channel            = "#soc"
    channel_name       = "SOC"
    url                = var.slack_url
    display_extra_data = true
  }
  filter {
    categories  = ["security"]
    risk_levels = ["HIGH", "VERY_HIGH", "EXTREME"]
    regions     = ["global", "eu-central-1"]
    tags        = ["environment::production"]
  }
}

resource "conformity_communication_setting" "oncall" {
  pager_duty {
    channel_name = "oncall"
    service_key  = "0123456789abcdef0123456789abcdef"
    service_name = "AWS security"
  }
  filter {
    rule_ids = ["RTM-011", "S3-016"]
  }
  relationships {
    account {
      id = conformity_aws_account.production.id
    }
  }
}

resource "conformity_communication_setting" "topic" {
  sns {
    arn          = "arn:aws:sns:eu-central-1:123456789012:conformity"
    channel_name = "topic"
  }
  filter {
    services = ["EC2", "IAM"]
  }
}

resource "conformity_communication_setting" "costs" {
  email {
    users = ["urn:tmds:identity:us-east-ds-1:62740:administrator/1915"]
  }
  filter {
    categories = ["cost-optimisation"]
  }
}
