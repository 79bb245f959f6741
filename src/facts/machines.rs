//! The fields about machines that a call starts or resizes: of which type, and how many.

use super::placed::{Placed, Values};
use super::value::{DerivedField, ServiceCalls, whole};
use crate::cloudtrail::{FactValue, Record, without_version};

/// The types of the machines, or nodes, that a call asks for.
pub(super) const INSTANCE_TYPE: DerivedField = DerivedField {
    name: "instance_type",
    calls: &[
        ServiceCalls {
            service: "ec2.amazonaws.com",
            events: &[
                "RunInstances",
                "RunScheduledInstances",
                "RequestSpotInstances",
                "RequestSpotFleet",
                "ModifySpotFleetRequest",
                "CreateFleet",
                "ModifyFleet",
                "CreateLaunchTemplate",
                "CreateLaunchTemplateVersion",
                "ModifyInstanceAttribute",
                "CreateCapacityReservation",
                "CreateCapacityReservationFleet",
                "AllocateHosts",
                "ModifyHosts",
                "ModifyReservedInstances",
                "ImportInstance",
            ],
        },
        ServiceCalls {
            service: "autoscaling.amazonaws.com",
            events: &[
                "CreateLaunchConfiguration",
                "CreateAutoScalingGroup",
                "UpdateAutoScalingGroup",
                "StartInstanceRefresh",
            ],
        },
        ServiceCalls {
            service: "sagemaker.amazonaws.com",
            events: &[
                "CreateNotebookInstance",
                "UpdateNotebookInstance",
                "CreateTrainingJob",
                "CreateProcessingJob",
                "CreateTransformJob",
                "CreateHyperParameterTuningJob",
                "CreateEndpointConfig",
                "CreateCluster",
                "UpdateCluster",
                "CreateApp",
                "CreateSpace",
                "UpdateSpace",
            ],
        },
        ServiceCalls {
            service: "rds.amazonaws.com",
            events: &[
                "CreateDBInstance",
                "CreateDBInstanceReadReplica",
                "CreateDBCluster",
                "ModifyDBInstance",
                "ModifyDBCluster",
                "RestoreDBInstanceFromDBSnapshot",
                "RestoreDBInstanceFromS3",
                "RestoreDBInstanceToPointInTime",
                "RestoreDBClusterFromSnapshot",
                "RestoreDBClusterToPointInTime",
            ],
        },
        ServiceCalls {
            service: "elasticmapreduce.amazonaws.com",
            events: &["RunJobFlow", "AddInstanceGroups", "AddInstanceFleet", "ModifyInstanceFleet"],
        },
        ServiceCalls {
            service: "batch.amazonaws.com",
            events: &["CreateComputeEnvironment", "UpdateComputeEnvironment", "SubmitJob"],
        },
        ServiceCalls { service: "eks.amazonaws.com", events: &["CreateNodegroup"] },
        ServiceCalls {
            service: "lightsail.amazonaws.com",
            events: &["CreateInstances", "CreateInstancesFromSnapshot"],
        },
        ServiceCalls {
            service: "redshift.amazonaws.com",
            events: &["CreateCluster", "ModifyCluster", "ResizeCluster", "RestoreFromClusterSnapshot"],
        },
        ServiceCalls {
            service: "elasticache.amazonaws.com",
            events: &["CreateCacheCluster", "CreateReplicationGroup", "ModifyCacheCluster", "ModifyReplicationGroup"],
        },
        ServiceCalls { service: "memorydb.amazonaws.com", events: &["CreateCluster", "UpdateCluster"] },
        ServiceCalls {
            service: "es.amazonaws.com",
            events: &[
                "CreateDomain",
                "UpdateDomainConfig",
                "CreateElasticsearchDomain",
                "UpdateElasticsearchDomainConfig",
            ],
        },
        ServiceCalls {
            service: "dms.amazonaws.com",
            events: &["CreateReplicationInstance", "ModifyReplicationInstance"],
        },
        ServiceCalls { service: "gamelift.amazonaws.com", events: &["CreateFleet", "CreateContainerFleet"] },
        ServiceCalls { service: "kafka.amazonaws.com", events: &["CreateCluster", "CreateClusterV2"] },
        ServiceCalls {
            service: "appstream.amazonaws.com",
            events: &["CreateFleet", "UpdateFleet", "CreateImageBuilder"],
        },
        ServiceCalls { service: "cloud9.amazonaws.com", events: &["CreateEnvironmentEC2"] },
        ServiceCalls {
            service: "bedrock.amazonaws.com",
            events: &["CreateMarketplaceModelEndpoint", "UpdateMarketplaceModelEndpoint"],
        },
    ],
    values: instance_types,
    description: "the types of the machines that the call starts, describes or changes to, from the request and the answer: \
                  p5.48xlarge, ml.p4d.24xlarge, db.r6g.large",
};

/// How many machines a call asks for.
pub(super) const INSTANCE_COUNT: DerivedField = DerivedField {
    name: "instance_count",
    calls: &[
        ServiceCalls {
            service: "ec2.amazonaws.com",
            events: &[
                "RunInstances",
                "RunScheduledInstances",
                "RequestSpotInstances",
                "RequestSpotFleet",
                "ModifySpotFleetRequest",
                "CreateFleet",
                "ModifyFleet",
                "CreateCapacityReservation",
                "AllocateHosts",
            ],
        },
        ServiceCalls {
            service: "autoscaling.amazonaws.com",
            events: &["CreateAutoScalingGroup", "UpdateAutoScalingGroup", "SetDesiredCapacity"],
        },
        ServiceCalls {
            service: "sagemaker.amazonaws.com",
            events: &[
                "CreateTrainingJob",
                "CreateProcessingJob",
                "CreateTransformJob",
                "CreateHyperParameterTuningJob",
                "CreateEndpointConfig",
                "CreateCluster",
                "UpdateCluster",
            ],
        },
        ServiceCalls {
            service: "elasticmapreduce.amazonaws.com",
            events: &[
                "RunJobFlow",
                "AddInstanceGroups",
                "AddInstanceFleet",
                "ModifyInstanceFleet",
                "ModifyInstanceGroups",
            ],
        },
        ServiceCalls { service: "eks.amazonaws.com", events: &["CreateNodegroup"] },
        ServiceCalls {
            service: "lightsail.amazonaws.com",
            events: &["CreateInstances", "CreateInstancesFromSnapshot"],
        },
    ],
    values: instance_count,
    description: "how many machines the call asks for, a number for above and below: the sum over its groups, in the units of the \
                  call (a fleet may count capacity)",
};

/// The members that name the type of a machine.
const TYPES: [&str; 11] = [
    "instanceType",
    "instanceTypes",
    "dBInstanceClass",
    "dBClusterInstanceClass",
    "replicationInstanceClass",
    "cacheNodeType",
    "masterInstanceType",
    "slaveInstanceType",
    "dedicatedMasterType",
    "warmType",
    "eC2InstanceType",
];

fn instance_types(record: &Record<'_>) -> Vec<FactValue> {
    let mut values = Values::default();
    let more: &[&str] = match record.text(&["eventSource"]).unwrap_or_default() {
        "lightsail.amazonaws.com" => &["bundleId"],
        // Elsewhere a node's type may be its part in a cluster.
        "redshift.amazonaws.com" | "memorydb.amazonaws.com" => &["nodeType"],
        _ => &[],
    };
    // What is changed is in the request; the answer has what has not been, too.
    let changes = ["Modify", "Update", "Resize"];
    let event = record.text(&["eventName"]).unwrap_or_default();
    let tops: &[&str] = if changes.iter().any(|verb| event.starts_with(verb)) {
        &["requestParameters"]
    } else {
        &["requestParameters", "responseElements"]
    };
    for top in tops.iter().filter_map(|top| Placed::top(record, top)) {
        top.each_object(&mut |object| {
            let names_type = |key: &str| TYPES.iter().chain(more).any(|name| name.eq_ignore_ascii_case(key));
            for (_, member) in object.members().filter(|(key, _)| names_type(key)) {
                for element in member.elements() {
                    // `ModifyInstanceAttribute` puts it into an object.
                    let named = element.get("value").unwrap_or(element);
                    if let Some(text) = named.text() {
                        values.add(text, &named.place);
                    }
                }
            }
        });
    }
    // `ModifyInstanceAttribute` may name what it changes beside the value, which CloudTrail mostly hides.
    if let Some(request) = Placed::request(record)
        && request.text_of(&["attribute"]) == Some("instanceType")
        && let Some(value) = request.get("value")
        && let Some(text) = value.text().filter(|text| !text.starts_with('<'))
    {
        values.add(text, &value.place);
    }
    values.0
}

/// The members that say how many, by service; of several lists the first of which one is there counts.
fn counts(service: &str) -> &'static [&'static [&'static str]] {
    match service {
        "ec2.amazonaws.com" => &[&["maxCount", "instanceCount", "totalTargetCapacity", "targetCapacity", "quantity"]],
        "autoscaling.amazonaws.com" => &[&["desiredCapacity"], &["minSize"]],
        "sagemaker.amazonaws.com" => &[&["instanceCount", "initialInstanceCount"]],
        "elasticmapreduce.amazonaws.com" => &[&["instanceCount", "targetOnDemandCapacity", "targetSpotCapacity"]],
        "eks.amazonaws.com" => &[&["desiredSize"], &["minSize"]],
        _ => &[],
    }
}

fn instance_count(record: &Record<'_>) -> Vec<FactValue> {
    let service = record.text(&["eventSource"]).unwrap_or_default();
    let request = Placed::request(record);
    for names in counts(service) {
        let mut sum: Option<(u64, String)> = None;
        if let Some(request) = &request {
            request.each_object(&mut |object| {
                for (_, member) in
                    object.members().filter(|(key, _)| names.iter().any(|name| name.eq_ignore_ascii_case(key)))
                {
                    let Some(number) = member.text().and_then(whole) else { continue };
                    let (before, place) = sum.take().unwrap_or((0, member.place));
                    sum = Some((before.saturating_add(number), place));
                }
            });
        }
        if let Some((sum, place)) = sum {
            return vec![FactValue { text: sum.to_string(), place }];
        }
    }
    // These are of one machine where they do not say. Sources:
    // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestSpotInstances.html>,
    // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunScheduledInstances.html>.
    let event = without_version(record.text(&["eventName"]).unwrap_or_default());
    if ["RequestSpotInstances", "RunScheduledInstances"].contains(&event)
        && let Some(specified) = request.as_ref().and_then(|request| request.get("launchSpecification"))
    {
        return vec![FactValue { text: "1".to_owned(), place: specified.place }];
    }
    // Where no number is asked for, the machines themselves are counted: by the names that are asked for, or in the answer.
    let listed = match (service, event) {
        ("lightsail.amazonaws.com", _) => request.and_then(|request| request.get("instanceNames")),
        ("ec2.amazonaws.com", "RunInstances") => {
            Placed::top(record, "responseElements").and_then(|answer| answer.get("instancesSet"))
        }
        _ => None,
    };
    let listed = listed.map(|list| (list.elements().len(), list.place)).filter(|(count, _)| *count > 0);
    listed.into_iter().map(|(count, place)| FactValue { text: count.to_string(), place }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(field: &DerivedField, service: &str, event: &str, parts: &str) -> Vec<(String, String)> {
        let json = format!(r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}",{parts}}}"#);
        let record = Record::parse(&json).unwrap();
        field.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    fn texts(field: &DerivedField, service: &str, event: &str, parts: &str) -> Vec<String> {
        said(field, service, event, parts).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn the_type_reads_alike_in_every_shape() {
        for (event, parts) in [
            ("RunInstances", r#""requestParameters":{"instanceType":"p5.48xlarge"}"#),
            (
                "RunInstances",
                r#""requestParameters":{"launchTemplate":{"launchTemplateId":"lt-1"}},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1","instanceType":"p5.48xlarge"},{"instanceType":"p5.48xlarge"}]}}"#,
            ),
            ("RequestSpotInstances", r#""requestParameters":{"launchSpecification":{"instanceType":"p5.48xlarge"}}"#),
            (
                "RequestSpotFleet",
                r#""requestParameters":{"spotFleetRequestConfig":{"launchSpecifications":{"items":[{"instanceType":"p5.48xlarge"}]}}}"#,
            ),
            (
                "RequestSpotFleet",
                r#""requestParameters":{"spotFleetRequestConfig":{"launchTemplateConfigs":[{"overrides":[{"instanceType":"p5.48xlarge"}]}]}}"#,
            ),
            (
                "CreateFleet",
                r#""requestParameters":{"CreateFleetRequest":{"LaunchTemplateConfigs":{"tag":1,"Overrides":{"tag":1,"InstanceType":"p5.48xlarge"}}}}"#,
            ),
            (
                "CreateLaunchTemplate",
                r#""requestParameters":{"CreateLaunchTemplateRequest":{"LaunchTemplateData":{"InstanceType":"p5.48xlarge"}}}"#,
            ),
            (
                "ModifyInstanceAttribute",
                r#""requestParameters":{"instanceId":"i-1","instanceType":{"value":"p5.48xlarge"}}"#,
            ),
            ("ModifyInstanceAttribute", r#""requestParameters":{"instanceId":"i-1","instanceType":"p5.48xlarge"}"#),
        ] {
            assert_eq!(texts(&INSTANCE_TYPE, "ec2", event, parts), ["p5.48xlarge"], "{event} {parts}");
        }
        for (service, event, request, expected) in [
            ("autoscaling", "CreateLaunchConfiguration", r#"{"instanceType":"g5.xlarge"}"#, "g5.xlarge"),
            (
                "autoscaling",
                "CreateAutoScalingGroup",
                r#"{"mixedInstancesPolicy":{"launchTemplate":{"overrides":[{"instanceType":"g5.xlarge"}]}}}"#,
                "g5.xlarge",
            ),
            (
                "sagemaker",
                "CreateTrainingJob",
                r#"{"resourceConfig":{"instanceType":"ml.p4d.24xlarge"}}"#,
                "ml.p4d.24xlarge",
            ),
            (
                "sagemaker",
                "CreateEndpointConfig",
                r#"{"productionVariants":[{"instanceType":"ml.g5.xlarge"}]}"#,
                "ml.g5.xlarge",
            ),
            (
                "sagemaker",
                "CreateCluster",
                r#"{"instanceGroups":[{"instanceType":"ml.g5.xlarge","slurmConfig":{"nodeType":"Controller"}}]}"#,
                "ml.g5.xlarge",
            ),
            ("rds", "CreateDBInstance", r#"{"dBInstanceClass":"db.r6g.large"}"#, "db.r6g.large"),
            ("elasticmapreduce", "RunJobFlow", r#"{"instances":{"masterInstanceType":"m5.xlarge"}}"#, "m5.xlarge"),
            ("eks", "CreateNodegroup", r#"{"instanceTypes":["g5.xlarge"]}"#, "g5.xlarge"),
            ("lightsail", "CreateInstances", r#"{"bundleId":"2xlarge_3_0"}"#, "2xlarge_3_0"),
            ("redshift", "ResizeCluster", r#"{"nodeType":"ra3.16xlarge"}"#, "ra3.16xlarge"),
        ] {
            let parts = format!(r#""requestParameters":{request}"#);
            assert_eq!(texts(&INSTANCE_TYPE, service, event, &parts), [expected], "{service} {event}");
        }
    }

    #[test]
    fn each_type_is_said_once_with_its_place() {
        let parts = r#""requestParameters":{"instanceType":"t3.micro"},"responseElements":{"instancesSet":{"items":[{"instanceType":"t3.micro"},{"instanceType":"t3.nano"}]}}"#;
        let expected = [
            ("t3.micro", "requestParameters.instanceType"),
            ("t3.nano", "responseElements.instancesSet.items[1].instanceType"),
        ];
        let expected = expected.map(|(text, place)| (text.to_owned(), place.to_owned()));
        assert_eq!(said(&INSTANCE_TYPE, "ec2", "RunInstances", parts), expected);
    }

    #[test]
    fn what_a_change_leaves_alone_is_not_asked_for() {
        let parts = r#""requestParameters":{"dBInstanceIdentifier":"db","masterUserPassword":"x"},"responseElements":{"dBInstanceClass":"db.t4g.micro"}"#;
        assert_eq!(texts(&INSTANCE_TYPE, "rds", "ModifyDBInstance", parts), [""; 0]);
        assert_eq!(texts(&INSTANCE_TYPE, "rds", "CreateDBInstance", parts), ["db.t4g.micro"]);
        assert_eq!(
            texts(&INSTANCE_TYPE, "ec2", "DescribeInstances", r#""requestParameters":{"instanceType":"t3.nano"}"#),
            [""; 0]
        );
    }

    #[test]
    fn machines_are_counted_as_the_call_counts_them() {
        for (service, event, parts, expected) in [
            (
                "ec2",
                "RunInstances",
                r#""requestParameters":{"instancesSet":{"items":[{"minCount":1,"maxCount":20}]}},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"}]}}"#,
                "20",
            ),
            (
                "ec2",
                "RunInstances",
                r#""requestParameters":null,"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#,
                "2",
            ),
            ("ec2", "RequestSpotInstances", r#""requestParameters":{"instanceCount":7}"#, "7"),
            (
                "ec2",
                "CreateFleet",
                r#""requestParameters":{"CreateFleetRequest":{"TargetCapacitySpecification":{"TotalTargetCapacity":50,"SpotTargetCapacity":50}}}"#,
                "50",
            ),
            (
                "ec2",
                "RequestSpotFleet",
                r#""requestParameters":{"spotFleetRequestConfig":{"targetCapacity":"9"}}"#,
                "9",
            ),
            (
                "autoscaling",
                "CreateAutoScalingGroup",
                r#""requestParameters":{"minSize":1,"maxSize":9,"desiredCapacity":4}"#,
                "4",
            ),
            ("autoscaling", "CreateAutoScalingGroup", r#""requestParameters":{"minSize":1,"maxSize":9}"#, "1"),
            ("sagemaker", "CreateTrainingJob", r#""requestParameters":{"resourceConfig":{"instanceCount":8}}"#, "8"),
            (
                "elasticmapreduce",
                "RunJobFlow",
                r#""requestParameters":{"instances":{"instanceGroups":[{"instanceCount":1},{"instanceCount":5}]}}"#,
                "6",
            ),
            ("lightsail", "CreateInstances", r#""requestParameters":{"instanceNames":["a","b","c"]}"#, "3"),
        ] {
            assert_eq!(texts(&INSTANCE_COUNT, service, event, parts), [expected], "{service} {event} {parts}");
        }
        assert_eq!(
            texts(&INSTANCE_COUNT, "ec2", "RunInstances", r#""requestParameters":{"maxCount":"many"}"#),
            [""; 0]
        );
    }
}
