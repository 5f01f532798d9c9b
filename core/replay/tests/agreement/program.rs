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
    Run(u8),
    Set(u8),
    Clear(u8),
    ClearAll,
    Time,
    Random,
    Uuid,
    /// Does the action if that handle is settled already.
    IfSettled(u32, Box<Action>),
    Complete,
    Fail,
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
    let plain = prop_oneof![
        4 => (0..3_u8).prop_map(Action::Task),
        3 => Just(Action::Timer),
        3 => (0..2_u8).prop_map(Action::Promise),
        8 => (0..3_u8).prop_map(Action::Run),
        2 => (0..3_u8).prop_map(Action::Set),
        1 => (0..3_u8).prop_map(Action::Clear),
        1 => Just(Action::ClearAll),
        3 => Just(Action::Time),
        1 => Just(Action::Random),
        1 => Just(Action::Uuid),
    ];
    let ending = prop_oneof![3 => Just(Action::Complete), 1 => Just(Action::Fail)];
    let conditional = (1..12_u32, plain.clone()).prop_map(|(handle, then)| Action::IfSettled(handle, Box::new(then)));
    prop_oneof![65 => plain, 13 => conditional, endings => ending]
}
