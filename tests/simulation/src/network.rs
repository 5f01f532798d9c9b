use std::collections::{BTreeMap, BTreeSet};

use flovyn_orchestrator::{Answer, Status, Undelivered};
use flovyn_protocol::messages::{
    PollResponse, SubmitWorkflowCommandsRequest, SubmitWorkflowCommandsResponse, WorkflowStatus,
};
use prost::Message as _;

use crate::{
    faults::Fault,
    life::check_applied,
    news,
    program::Version,
    server::{Caller, EXTENDED, PLAIN},
    world::World,
};

const SUBMIT: &str = "/flovyn.v1.WorkflowDispatch/SubmitWorkflowCommands";

/// Submissions that are under way, and the answers that have come back.
#[derive(Default)]
pub(crate) struct Network {
    flights: BTreeMap<u64, Flight>,
    answers: BTreeMap<u64, Answered>,
    sent: u64,
    /// By execution, claim and number: what was applied.
    applied: BTreeSet<(usize, usize, i32)>,
}

/// A submission, and what the worker knew when it made it.
#[derive(Clone)]
pub(crate) struct Flight {
    pub(crate) worker: String,
    pub(crate) life: usize,
    pub(crate) request: SubmitWorkflowCommandsRequest,
    /// The token, from a client with our extension.
    pub(crate) token: Option<String>,
    /// Which claim of the execution it was made under.
    pub(crate) claim: usize,
    /// The events that the worker held.
    pub(crate) held: usize,
    pub(crate) log: Vec<u64>,
    /// The version of the code that took those turns.
    pub(crate) version: Version,
}

#[derive(Debug)]
pub(crate) enum Answered {
    Lost,
    Refused(Status),
    Accepted(Box<SubmitWorkflowCommandsResponse>),
}

impl Network {
    pub(crate) fn send(&mut self, flight: Flight) -> u64 {
        self.sent += 1;
        self.flights.insert(self.sent, flight);
        self.sent
    }

    pub(crate) fn take_answer(&mut self, number: u64) -> Option<Answered> {
        self.answers.remove(&number)
    }

    /// Whoever sent it waits no longer. From a client without our extension nothing may arrive late: it could not be
    /// told from the submission of whoever has the claim then.
    pub(crate) fn abandon(&mut self, number: u64) {
        self.answers.remove(&number);
        if self.flights.get(&number).is_some_and(|flight| flight.token.is_none()) {
            self.flights.remove(&number);
        }
    }
}

impl World<'_> {
    /// Lets one submission arrive; `false` if none is under way.
    pub(crate) fn deliver(&mut self) -> bool {
        let numbers: Vec<u64> = self.network.flights.keys().copied().collect();
        if numbers.is_empty() {
            return false;
        }
        let number = *self.chance.pick(&numbers);
        let Some(flight) = self.network.flights.remove(&number) else { return false };
        if self.faults.strikes(Fault::RequestLost, 12) {
            self.note(|| format!("the submission of {} is lost", flight.worker));
            self.network.answers.insert(number, Answered::Lost);
            return true;
        }
        if flight.token.is_none() && self.lives[flight.life].claims != flight.claim {
            // It could not be told from the submission of whoever has the claim now.
            self.network.answers.insert(number, Answered::Lost);
            return true;
        }
        let (mut answered, mut undelivered) = self.arrive(&flight);
        if self.faults.strikes(Fault::RequestDoubled, 10) {
            self.note(|| format!("the submission of {} arrives again", flight.worker));
            (answered, undelivered) = self.arrive(&flight);
        }
        if self.faults.strikes(Fault::AnswerLost, 10) {
            self.note(|| format!("the answer to {} is lost", flight.worker));
            answered = Answered::Lost;
            if let Some(undelivered) = undelivered.filter(|_| self.chance.one_in(2)) {
                self.server.release_undelivered(&undelivered);
            }
        }
        self.network.answers.insert(number, answered);
        true
    }

    fn arrive(&mut self, flight: &Flight) -> (Answered, Option<Undelivered>) {
        let Flight { life, claim, request, .. } = flight;
        let known = self.lives[*life].events.len();
        let (applied_before, is_current) = (
            !self.network.applied.insert((*life, *claim, request.submission_number)),
            self.is_current(*life, *claim, flight.token.as_deref()),
        );
        self.note(|| {
            let (status, worker) = (request.status(), &flight.worker);
            format!("the submission of {worker} arrives: {} commands, {status:?}", request.commands.len())
        });
        let (answered, undelivered) = self.submit(flight);
        self.observe();
        let life = &mut self.lives[*life];
        let has_grown = life.events.len() > known;
        if has_grown {
            assert!(!applied_before, "a submission was applied twice");
            assert!(is_current != Some(false), "a submission was applied under a claim that is not current");
            check_applied(&request.commands, &life.bodies[known..], flight.token.is_some(), life.is_late);
            life.last_applied = *claim;
            life.seen = flight.held;
            life.ended_by_code = life.ended && !life.bodies.last().is_some_and(news::is_timed_out);
            let is_other = life.version != flight.version;
            life.version = flight.version;
            assert!(
                is_other || flight.log.starts_with(&life.log),
                "the turns before this submission are not those of the history"
            );
            life.log.clone_from(&flight.log);
            life.claimed = request.status() == WorkflowStatus::Running;
        }
        match &answered {
            Answered::Accepted(_) => {
                assert!(
                    has_grown || applied_before || is_current != Some(true),
                    "an accepted submission left no event"
                );
            }
            Answered::Refused(status) => {
                assert!(!has_grown, "a refused submission left events: {status}");
                assert!(is_current != Some(true), "a submission under the current claim was refused: {status}");
                self.network.applied.remove(&(flight.life, *claim, request.submission_number));
            }
            Answered::Lost => {}
        }
        if let Answered::Accepted(response) = &answered
            && let Some(next) = response.next.as_ref().filter(|next| **next != PollResponse::default())
        {
            let next = self.handed_out(next);
            self.note(|| format!("    and is answered with {next}"));
        }
        (answered, undelivered)
    }

    /// The claim was the last one, and has not ended.
    fn is_current(&mut self, life: usize, claim: usize, token: Option<&str>) -> Option<bool> {
        let life = &self.lives[life];
        if life.claims == claim { self.server.is_current(&life.id, token) } else { Some(false) }
    }

    fn submit(&mut self, flight: &Flight) -> (Answered, Option<Undelivered>) {
        let caller = match &flight.token {
            Some(token) => Caller { claim: Some(token), ..EXTENDED },
            None => PLAIN,
        };
        match self.server.call(caller, SUBMIT, &flight.request.encode_to_vec()) {
            Ok(Answer::Reply { body, undelivered }) => {
                let response = SubmitWorkflowCommandsResponse::decode(body.as_slice()).unwrap();
                (Answered::Accepted(Box::new(response)), undelivered)
            }
            Ok(Answer::Park(_)) => panic!("a submission was parked"),
            Err(status) => {
                self.note(|| format!("    refused: {status}"));
                (Answered::Refused(status), None)
            }
        }
    }
}
