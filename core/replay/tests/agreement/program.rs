use proptest::{collection::vec, prelude::*};

/// A workflow as data: what it does when it starts, and when the n-th handle is settled. Handles are numbered in the
/// order in which they are made, so another order of jobs makes another run.
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<Vec<Action>>);

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Task(u8),
    Timer,
    Promise(u8),
    Child(u8),
    Run(u8),
    Wait(u8),
    Drain(u8),
    Set(u8),
    Clear(u8),
    ClearAll,
    Time,
    Random,
    Uuid,
    Patched(u8),
    /// Opens a scope in the current one; what is made from here on belongs to it.
    OpenScope {
        cancellable: bool,
    },
    /// What is made from here on belongs to one of the scopes.
    Enter(u32),
    CancelScope(u32),
    Cancel(u32),
    /// Does the action if that handle is settled already.
    IfSettled(u32, Box<Action>),
    /// Does the action if such a signal is queued.
    IfSignal(u8, Box<Action>),
    Complete,
    Fail,
    CompleteCancelled,
}

pub(crate) fn any_program() -> impl Strategy<Value = Program> {
    let start = vec(any_action(1), 2..6);
    let reactions = vec(vec(any_action(2), 0..4), 6..20);
    (start, reactions).prop_map(|(start, reactions)| {
        let mut program = vec![start];
        program.extend(reactions);
        Program(program)
    })
}

/// `endings` of 80 actions end the function.
fn any_action(endings: u32) -> impl Strategy<Value = Action> {
    let handles = prop_oneof![
        4 => (0..3_u8).prop_map(Action::Task),
        3 => Just(Action::Timer),
        3 => (0..2_u8).prop_map(Action::Promise),
        2 => (0..2_u8).prop_map(Action::Child),
        8 => (0..3_u8).prop_map(Action::Run),
        4 => (0..2_u8).prop_map(Action::Wait),
    ];
    let others = prop_oneof![
        2 => (0..2_u8).prop_map(Action::Drain),
        2 => (0..3_u8).prop_map(Action::Set),
        1 => (0..3_u8).prop_map(Action::Clear),
        1 => Just(Action::ClearAll),
        3 => Just(Action::Time),
        1 => Just(Action::Random),
        1 => Just(Action::Uuid),
        1 => (0..2_u8).prop_map(Action::Patched),
        2 => any::<bool>().prop_map(|cancellable| Action::OpenScope { cancellable }),
        1 => (0..4_u32).prop_map(Action::Enter),
        1 => (0..4_u32).prop_map(Action::CancelScope),
        3 => (1..10_u32).prop_map(Action::Cancel),
    ];
    let plain = prop_oneof![5 => handles, 3 => others];
    let ending =
        prop_oneof![3 => Just(Action::Complete), 1 => Just(Action::Fail), 1 => Just(Action::CompleteCancelled)];
    let if_settled = (1..12_u32, plain.clone()).prop_map(|(handle, then)| Action::IfSettled(handle, Box::new(then)));
    let if_signal = (0..2_u8, plain.clone()).prop_map(|(name, then)| Action::IfSignal(name, Box::new(then)));
    prop_oneof![62 => plain, 10 => if_settled, 6 => if_signal, endings => ending]
}
