use std::{collections::BTreeMap, fmt};

use flovyn_protocol::{
    event::EventBody,
    messages::{PollResponse, QueryTask, StartWorkflowRequest, StartWorkflowResponse},
};

use crate::{
    chance::Chance,
    clients,
    faults::{Allowed, Faults},
    life::Life,
    network::Network,
    news,
    program::{Program, Version},
    report::Tally,
    server::{EXTENDED, Server},
    transcript::Transcript,
};

/// What a poll is answered with.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    Execution(usize),
    Query,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execution(life) => write!(f, "execution {life}"),
            Self::Query => write!(f, "a query"),
        }
    }
}

/// How long an execution may take, where it may not take any time.
const TIMEOUTS_MS: [i64; 3] = [2_000, 30_000, 600_000];
const CHILD_TIMEOUTS_SECONDS: [i32; 2] = [3, 60];

/// All that workers, task workers and the scheduler share: the server, what is under way to it, and who looks on.
pub(crate) struct World<'p> {
    pub(crate) program: &'p Program,
    pub(crate) server: Server,
    /// Of the code that all workers run.
    pub(crate) version: Version,
    pub(crate) lives: Vec<Life>,
    pub(crate) network: Network,
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    /// What has come from outside.
    pub(crate) news: Tally,
    pub(crate) transcript: Transcript,
    /// How long children may take, as their workers register them.
    pub(crate) timeout_seconds: Option<i32>,
    /// Some workers know our extension, and some do not.
    pub(crate) is_mixed: bool,
    /// The root execution has a name.
    pub(crate) is_named: bool,
    /// What workers have answered queries with, by their parameters.
    pub(crate) answers: BTreeMap<String, String>,
    effects: u64,
    /// The number of each claim that has a token.
    claims: BTreeMap<String, usize>,
}

impl<'p> World<'p> {
    pub(crate) fn new(program: &'p Program, seed: u64, allowed: Allowed, transcript: Transcript) -> Self {
        let mut chance = Chance::new(seed);
        let faults = Faults::new(allowed, chance.fork());
        let page_events_max = if chance.one_in(4) { 1 + chance.below(6) } else { 1_000 };
        let server = Server::new(seed, page_events_max);
        let network = Network::default();
        let mut world = Self {
            program,
            server,
            version: Version::Earlier,
            lives: Vec::new(),
            network,
            chance,
            faults,
            news: Tally::default(),
            transcript,
            timeout_seconds: None,
            is_mixed: false,
            is_named: false,
            answers: BTreeMap::new(),
            effects: 0,
            claims: BTreeMap::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        self.is_named = self.chance.one_in(2);
        self.timeout_seconds = self.chance.one_in(5).then(|| *self.chance.pick(&CHILD_TIMEOUTS_SECONDS));
        let request = StartWorkflowRequest {
            workflow_kind: kind(0),
            timeout_ms: self.choose_timeout_ms(),
            idempotency_key: self.is_named.then(|| clients::NAME.to_string()),
            ..StartWorkflowRequest::default()
        };
        let started: StartWorkflowResponse =
            self.server.ask(EXTENDED, "/flovyn.v1.WorkflowDispatch/StartWorkflow", &request).unwrap();
        self.lives.push(Life::new(started.workflow_execution_id, 0));
        self.observe();
    }

    /// How long an execution may take; 0 is for ever.
    pub(crate) fn choose_timeout_ms(&mut self) -> i64 {
        if self.chance.one_in(5) { *self.chance.pick(&TIMEOUTS_MS) } else { 0 }
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        self.transcript.note(line);
    }

    /// Reads what is new in all histories. Whatever changes one calls this.
    pub(crate) fn observe(&mut self) {
        let mut index = 0;
        while let Some(life) = self.lives.get_mut(index) {
            let known = life.observe(&mut self.server);
            let children = life.bodies[known..].iter().filter_map(|body| match body {
                EventBody::ChildWorkflowInitiated { child_execution_id, kind, .. } => {
                    Some(Life::new(child_execution_id.clone(), function(kind)))
                }
                _ => None,
            });
            let children: Vec<Life> = children.collect();
            for name in life.bodies[known..].iter().filter_map(news::name_of) {
                // Signals are sent again and again in the end.
                if name != "signal" || !self.faults.calm {
                    self.news.count(name);
                    self.news.count(if life.claimed { news::LANDS } else { news::WAITS });
                }
            }
            for event in &life.events[known..] {
                self.transcript.note(|| {
                    let data = String::from_utf8_lossy(&event.event_data);
                    format!("    execution {index} event {} {} {data}", event.sequence_number, event.event_type)
                });
            }
            self.lives.extend(children);
            index += 1;
        }
    }

    /// Time passes, and what is due is done.
    pub(crate) fn advance(&mut self, ms: i64) {
        self.server.advance(ms);
        self.observe();
    }

    /// The result of something that happens outside: no two are the same.
    pub(crate) fn new_effect(&mut self) -> u64 {
        self.effects += 1;
        self.effects
    }

    pub(crate) fn life(&self, execution_id: &str) -> usize {
        self.lives.iter().position(|life| life.id == execution_id).unwrap()
    }

    /// The server has handed out work, whether or not it arrives.
    pub(crate) fn handed_out(&mut self, response: &PollResponse) -> Work {
        match &response.query {
            Some(query) => self.check_query(query),
            None => return Work::Execution(self.claimed(response)),
        }
        Work::Query
    }

    /// Whoever answers a query is given the state as it is.
    fn check_query(&self, query: &QueryTask) {
        let life = &self.lives[self.life(&query.workflow_execution_id)];
        let state = query.state.iter().map(|entry| (&entry.key, String::from_utf8_lossy(&entry.value)));
        assert!(
            state.eq(life.state.iter().map(|(key, value)| (key, value.into()))),
            "a query comes with another state than {:?}: {query:?}",
            life.state
        );
        assert_eq!(query.current_sequence as usize, life.events.len());
    }

    fn claimed(&mut self, response: &PollResponse) -> usize {
        let index = self.life(&response.workflow_execution.as_ref().unwrap().id);
        let life = &mut self.lives[index];
        life.claims += 1;
        life.claimed = true;
        self.claims.insert(response.claim_token.clone(), life.claims);
        index
    }

    /// Which claim of its execution it was.
    pub(crate) fn claim(&self, response: &PollResponse) -> usize {
        self.claims[&response.claim_token]
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lives.iter().all(|life| life.ended)
    }
}

/// The function of the executions of a kind.
fn function(kind: &str) -> usize {
    kind.trim_start_matches("workflow-").parse().unwrap()
}

/// The kind of the executions of a function.
pub(crate) fn kind(function: usize) -> String {
    format!("workflow-{function}")
}
