//! The callers with whom policies are tried: strangers of every kind, and those whom a statement names.
//!
//! A stranger is anybody with an account of AWS's, or none: with an organization of his own, with endpoints in networks of his own, and with
//! services that act for him. What a stranger can choose (the time, the user agent, tags of his own) keeps nobody out.

use super::principal::Who;

/// What a key of conditions holds for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held<'w> {
    /// The key is missing.
    Absent,
    /// What the caller likes, or nothing.
    Chosen,
    /// The stranger's own account, organization, address: none of those that a policy names by chance.
    Stranger,
    /// It may hold anything, or be missing, and the caller cannot choose.
    Unknown,
    /// The ARN of somebody of this account.
    ArnOf(&'w str),
    /// Just this.
    Is(&'w str),
}

/// Who tries to get in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller<'w> {
    Stranger(Signed, Road),
    /// Somebody whom a statement names, by one of the ways that are open to him.
    Named(&'w Who, Road),
    /// Somebody for whom a key holds this, whoever he is, by one of the ways that are open to him.
    Bearer(&'w str, &'w str, Road),
    /// Whoever has an identity policy: only what everybody can choose is his choice.
    Holder,
}

/// How a stranger shows who he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    No,
    /// With credentials of an account that is in no organization.
    Alone,
    /// With credentials of an account in an organization of his own.
    InOrganization,
}

/// The way by which a stranger comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Road {
    Internet,
    /// An endpoint in a network of his own.
    Endpoint,
    /// A service of AWS's that acts for something of his.
    Service,
}

/// Every kind of stranger.
pub(super) const STRANGERS: [Caller<'static>; 7] = [
    Caller::Stranger(Signed::No, Road::Internet),
    Caller::Stranger(Signed::Alone, Road::Internet),
    Caller::Stranger(Signed::InOrganization, Road::Internet),
    Caller::Stranger(Signed::No, Road::Endpoint),
    Caller::Stranger(Signed::Alone, Road::Endpoint),
    Caller::Stranger(Signed::InOrganization, Road::Endpoint),
    Caller::Stranger(Signed::No, Road::Service),
];

impl<'w> Caller<'w> {
    /// What a key holds, its name in small letters. Source of the keys:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
    pub(super) fn holds(self, key: &str) -> Held<'w> {
        match self {
            Self::Stranger(signed, road) => stranger_holds(signed, road, key),
            Self::Named(who, road) => named_holds(who, road, key),
            Self::Bearer(borne, value, _) if borne == key => Held::Is(value),
            Self::Bearer(_, _, road) if Trait::of(key).is_missing(road) => Held::Absent,
            Self::Bearer(..) => Held::Chosen,
            Self::Holder => match key {
                "aws:securetransport" | "aws:useragent" | "aws:referer" | "aws:currenttime" | "aws:epochtime" => {
                    Held::Chosen
                }
                _ => Held::Unknown,
            },
        }
    }
}

fn stranger_holds(signed: Signed, road: Road, key: &str) -> Held<'static> {
    let own_if = |there: bool| if there { Held::Stranger } else { Held::Absent };
    match key {
        "aws:principalaccount" | "aws:principalarn" | "aws:userid" | "kms:calleraccount" => {
            own_if(signed != Signed::No)
        }
        "aws:principalorgid" | "aws:principalorgpaths" => own_if(signed == Signed::InOrganization),
        "aws:sourceowner" => own_if(signed != Signed::No || road == Road::Service),
        "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths" => {
            own_if(road == Road::Service)
        }
        "aws:principalservicename" | "aws:principalservicenameslist" => own_if(road == Road::Service),
        "aws:principalisawsservice" => Held::Is(if road == Road::Service { "true" } else { "false" }),
        "s3:dataaccesspointarn" | "s3:dataaccesspointaccount" => own_if(road != Road::Internet),
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpceaccount" | "aws:vpceorgid" | "aws:vpceorgpaths" => {
            own_if(road == Road::Endpoint)
        }
        "aws:sourceip" => own_if(road == Road::Internet),
        "aws:vpcsourceip" if road != Road::Endpoint => Held::Absent,
        _ => Held::Chosen,
    }
}

fn named_holds<'w>(who: &'w Who, road: Road, key: &str) -> Held<'w> {
    let is_of_aws = matches!(who, Who::Account(_) | Who::Arn(_));
    match (key, who) {
        ("aws:principalaccount" | "kms:calleraccount", _) if is_of_aws => who.account().map_or(Held::Chosen, Held::Is),
        ("aws:principalarn", Who::Arn(arn)) => Held::Is(arn),
        ("aws:principalarn", Who::Account(account)) => Held::ArnOf(account),
        ("aws:principalisawsservice", Who::Service(_)) => Held::Is("true"),
        ("aws:principalservicename", Who::Service(name)) if name != "*" => Held::Is(name),
        ("aws:principalisawsservice", _) if is_of_aws => Held::Is("false"),
        _ => {
            let of = Trait::of(key);
            let missing = if of == Trait::Service { is_of_aws } else { of.is_missing(road) };
            if missing { Held::Absent } else { Held::Chosen }
        }
    }
}

impl Who {
    /// Whether a request of his can have a key.
    pub(super) fn may_bear(&self, key: &str) -> bool {
        match (self, Trait::of(key)) {
            (Self::Service(_), of) => matches!(of, Trait::Service | Trait::Other),
            (Self::Account(_) | Self::Arn(_), of) => of != Trait::Service,
            _ => true,
        }
    }

    /// The ways by which somebody can come.
    pub(super) fn roads(&self) -> &'static [Road] {
        match self {
            Self::Service(_) => &[Road::Service],
            _ => &[Road::Internet, Road::Endpoint],
        }
    }
}

/// What a key tells of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// Who has signed it.
    Principal,
    /// Which service makes it, and for what.
    Service,
    /// By which endpoint it came.
    Endpoint,
    /// From which public address.
    Address,
    Other,
}

impl Trait {
    fn of(key: &str) -> Self {
        match key {
            "aws:principalaccount"
            | "aws:principalarn"
            | "aws:principalorgid"
            | "aws:principalorgpaths"
            | "kms:calleraccount" => Self::Principal,
            "aws:sourcearn"
            | "aws:sourceaccount"
            | "aws:sourceorgid"
            | "aws:sourceorgpaths"
            | "aws:principalservicename" => Self::Service,
            "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpceaccount" | "aws:vpceorgid" | "aws:vpceorgpaths" => {
                Self::Endpoint
            }
            "aws:sourceip" => Self::Address,
            _ => Self::Other,
        }
    }

    /// Whether no request that comes this way has such keys.
    fn is_missing(self, road: Road) -> bool {
        match self {
            Self::Principal => road == Road::Service,
            Self::Service => road != Road::Service,
            Self::Endpoint => road != Road::Endpoint,
            Self::Address => road != Road::Internet,
            Self::Other => false,
        }
    }
}

/// The ways by which requests come that have a key.
pub(super) fn roads_of(key: &str) -> impl Iterator<Item = Road> {
    let of = Trait::of(key);
    [Road::Internet, Road::Endpoint, Road::Service].into_iter().filter(move |road| !of.is_missing(*road))
}
