//! Who watches: what records, detects and tells.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{Counted, If, Request, Special, Switch, Without, Words};
use crate::change::special::event_selectors;

pub(super) const CALLS: &[Entry] = calls! {
    "cloudtrail" {
        "StopLogging" => [Words("logging", "off")];
        "StartLogging" => [Words("logging", "on")];
        "DeleteTrail" => [Words("logging", "off (the trail goes)")];
        "CreateTrail" "UpdateTrail" => [
            Switch("multi-region logging", "isMultiRegionTrail"), Switch("logging of global services", "includeGlobalServiceEvents"),
            Switch("validation of log files", "enableLogFileValidation"), Switch("for the whole organization", "isOrganizationTrail"),
            Request("to bucket", "s3BucketName"), Request("to log group", "cloudWatchLogsLogGroupArn"), Request("key", "kmsKeyId"),
            Request("tells topic", "snsTopicName")
        ];
        "PutEventSelectors" => [Special("management events, data events, not recorded", event_selectors)];
        "PutInsightSelectors" => [
            Request("insights", "insightSelectors.insightType"), Without("insightSelectors.insightType", "insights", "off"), Request("trail", "trailName|eventDataStore")
        ];
        "StopEventDataStoreIngestion" => [Words("recording", "off")];
        "DeleteEventDataStore" => [Words("recording", "off (the store is to be deleted)")];
        "DeregisterOrganizationDelegatedAdmin" => [Request("no longer administered by", "delegatedAdminAccountId")];
    }
    "config" {
        "StopConfigurationRecorder" => [Words("recording", "off")];
        "StartConfigurationRecorder" => [Words("recording", "on")];
        "DeleteConfigurationRecorder" => [Words("recording", "off (the recorder goes)")];
        "DeleteDeliveryChannel" => [Words("delivery", "off (what is recorded goes nowhere)")];
        "PutConfigurationRecorder" => [
            Switch("all resources", "configurationRecorder.recordingGroup.allSupported"), Request("resources", "configurationRecorder.recordingGroup.resourceTypes"),
            Request("not recorded", "configurationRecorder.recordingGroup.exclusionByResourceTypes.resourceTypes"),
            Switch("global resources", "configurationRecorder.recordingGroup.includeGlobalResourceTypes")
        ];
        "PutDeliveryChannel" => [
            Request("to bucket", "deliveryChannel.s3BucketName"), Request("tells topic", "deliveryChannel.snsTopicARN")
        ];
        "DeleteRetentionConfiguration" => [Words("retention", "AWS's own")];
    }
    "guardduty" {
        "DeleteDetector" => [Words("GuardDuty", "off (the detector goes)")];
        "UpdateDetector" => [
            Switch("GuardDuty", "enable"), Request("features", "features"), Request("data sources", "dataSources"),
            Request("findings are published", "findingPublishingFrequency")
        ];
        "CreateFilter" "UpdateFilter" => [
            If("action", "ARCHIVE", "findings", "archived unseen"), Request("filter", "name|filterName"), Request("which", "findingCriteria.criterion")
        ];
        "CreateIPSet" "UpdateIPSet" "CreateTrustedEntitySet" "UpdateTrustedEntitySet" => [
            Request("trusted addresses from", "location"), Switch("list", "activate"), Request("name", "name")
        ];
        "UpdateThreatIntelSet" => [Request("threats from", "location"), Switch("list", "activate")];
        "ArchiveFindings" => [Request("archived", "findingIds")];
        "DisassociateMembers" "DeleteMembers" "StopMonitoringMembers" => [Request("no longer watched", "accountIds")];
        "DeleteInvitations" => [Request("invitations of", "accountIds")];
        "DisassociateFromAdministratorAccount" "DisassociateFromMasterAccount" => [Words("administrator", "none any more")];
        "DisableOrganizationAdminAccount" => [Request("no longer administered by", "adminAccountId")];
        "DeletePublishingDestination" => [Words("export of findings", "off"), Request("destination", "destinationId")];
        "CreateSampleFindings" => [Request("false findings", "findingTypes")];
    }
    "securityhub" {
        "DisableSecurityHub" => [Words("Security Hub", "off")];
        "BatchDisableStandards" => [Request("disabled standards", "standardsSubscriptionArns|StandardsSubscriptionArns")];
        "DisableImportFindingsForProduct" => [Request("no findings any more from", "productSubscriptionArn|ProductSubscriptionArn")];
        "DisassociateMembers" "DeleteMembers" => [Request("no longer watched", "accountIds")];
        "DisassociateFromAdministratorAccount" "DisassociateFromMasterAccount" => [Words("administrator", "none any more")];
        "BatchUpdateFindings" => [Request("findings", "findingIdentifiers.id"), Request("state", "workflow.status"), Request("note", "note.text")];
    }
    "macie2" {
        "DisableMacie" => [Words("Macie", "off")];
        "DisassociateMember" => [Request("no longer watched", "id")];
        "DisassociateFromAdministratorAccount" => [Words("administrator", "none any more")];
    }
    "inspector2" {
        "Disable" => [Request("disabled for", "accountIds"), Request("disabled scans of", "resourceTypes")];
        "DisassociateMember" => [Request("no longer watched", "accountId")];
    }
    "access-analyzer" {
        "DeleteAnalyzer" => [Words("Access Analyzer", "off (the analyzer goes)")];
        "CreateArchiveRule" => [Words("findings", "archived unseen"), Request("which", "filter"), Request("rule", "ruleName")];
    }
    "detective" {
        "DeleteGraph" => [Words("Detective", "off (the graph and its data go)")];
        "DisassociateMembership" => [Words("Detective", "this account is no longer in the graph")];
    }
    "ec2" {
        "DeleteFlowLogs" => [Request("flow logs off", "flowLogId|flowLogIds|flowLogIdSet")];
        "CreateFlowLogs" => [
            Request("flow logs to", "logDestination|logGroupName"), Request("of", "resourceId|resourceIds"), Request("traffic", "trafficType")
        ];
    }
    "logs" {
        "PutRetentionPolicy" => [Counted("kept for", "retentionInDays", "days")];
        "DeleteRetentionPolicy" => [Words("kept for", "ever")];
        "PutSubscriptionFilter" => [
            Request("logs go to", "destinationArn"), Request("which", "filterPattern"), Request("by role", "roleArn")
        ];
        "DeleteSubscriptionFilter" => [Request("deleted filter", "filterName")];
        "DeleteMetricFilter" => [Request("deleted filter", "filterName")];
        "PutMetricFilter" => [Request("filter", "filterName"), Request("which", "filterPattern")];
        "DeleteLogStream" => [Request("deleted stream", "logStreamName")];
        "CreateLogStream" => [Request("new stream", "logStreamName")];
    }
    "monitoring" {
        "DeleteAlarms" => [Request("deleted alarms", "alarmNames")];
        "DisableAlarmActions" => [Request("alarms that no longer tell anybody", "alarmNames")];
        "SetAlarmState" => [Request("alarm", "alarmName"), Request("state", "stateValue"), Request("reason given", "stateReason")];
        "PutMetricAlarm" => [
            Request("tells", "alarmActions"), Switch("actions", "actionsEnabled"), Request("metric", "metricName"), Request("operator", "comparisonOperator"), Request("threshold", "threshold")
        ];
    }
    "events" {
        "DisableRule" => [Words("rule", "off")];
        "EnableRule" => [Words("rule", "on")];
        "RemoveTargets" => [Request("removed targets", "ids"), Request("of rule", "rule")];
        "PutTargets" => [Request("events go to", "targets.arn"), Request("of rule", "rule"), Request("by role", "targets.roleArn")];
        "PutRule" => [
            Request("state", "state"), Request("events", "eventPattern"), Request("when", "scheduleExpression")
        ];
    }
    "scheduler" {
        "CreateSchedule" "UpdateSchedule" => [
            Request("calls", "target.arn"), Request("when", "scheduleExpression"), Request("by role", "target.roleArn"), Request("state", "state")
        ];
    }
    "route53resolver" {
        "DisassociateResolverQueryLogConfig" => [Words("logging of DNS queries", "off"), Request("of", "resourceId")];
        "DeleteResolverQueryLogConfig" => [Words("logging of DNS queries", "off")];
        "DisassociateFirewallRuleGroup" => [Words("DNS firewall", "off for the network")];
    }
};
