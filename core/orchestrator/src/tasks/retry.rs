use alloc::format;

use flovyn_protocol::messages;

use crate::{
    Status,
    context::Ctx,
    store::{RetryPolicy, TaskRecord},
};

/// Reads the policy in a command. What is 0 in it is as the server does it.
pub(crate) fn read_policy(ctx: &Ctx<'_>, policy: messages::RetryPolicy) -> Result<RetryPolicy, Status> {
    let server = &ctx.config.tasks;
    let messages::RetryPolicy { initial_delay_ms, max_delay_ms, multiplier_milli, non_retryable_errors } = policy;
    if initial_delay_ms < 0 || max_delay_ms < 0 {
        return Err(Status::invalid_argument(format!(
            "retry_policy: expected delays of 0 or more, got initial_delay_ms {initial_delay_ms} and max_delay_ms \
             {max_delay_ms}"
        )));
    }
    if multiplier_milli != 0 && multiplier_milli < 1_000 {
        return Err(Status::invalid_argument(format!(
            "retry_policy.multiplier_milli: expected 1000 (the same delay each time) or more, got {multiplier_milli}"
        )));
    }
    let or = |given: i64, default: i64| if given == 0 { default } else { given };
    Ok(RetryPolicy {
        initial_delay_ms: or(initial_delay_ms, server.initial_delay_ms),
        max_delay_ms: or(max_delay_ms, server.max_delay_ms.max(initial_delay_ms)),
        multiplier_milli: if multiplier_milli == 0 { server.multiplier_milli } else { multiplier_milli },
        non_retryable_errors,
    })
}

/// Whether the policy says that no attempt can mend this.
pub(super) fn is_fatal(task: &TaskRecord, error_type: &str) -> bool {
    let policy = task.retry_policy.as_ref();
    !error_type.is_empty()
        && policy.is_some_and(|policy| policy.non_retryable_errors.iter().any(|fatal| fatal == error_type))
}

/// How long to wait before the next attempt, in integers: `no_std` has no powers of floats, and every platform must
/// wait equally long.
pub(super) fn delay_ms(ctx: &mut Ctx<'_>, task: &TaskRecord) -> i64 {
    let server = &ctx.config.tasks;
    let (initial_ms, max_ms, multiplier_milli) = match &task.retry_policy {
        Some(policy) => (policy.initial_delay_ms, policy.max_delay_ms, policy.multiplier_milli),
        None => (server.initial_delay_ms, server.max_delay_ms, server.multiplier_milli),
    };
    let jitter_milli = server.jitter_milli;
    let delay_ms = grown_ms(initial_ms, max_ms, multiplier_milli, task.execution_count - 1);
    shortened_ms(ctx, delay_ms, jitter_milli)
}

fn grown_ms(initial_ms: i64, max_ms: i64, multiplier_milli: i32, times: i32) -> i64 {
    let mut delay_ms = initial_ms.min(max_ms);
    for _ in 0..times {
        let grown = i128::from(delay_ms) * i128::from(multiplier_milli) / 1_000;
        let grown_ms = i64::try_from(grown).unwrap_or(i64::MAX).min(max_ms);
        if grown_ms <= delay_ms {
            break;
        }
        delay_ms = grown_ms;
    }
    delay_ms
}

/// Tasks that failed together are not tried again together.
fn shortened_ms(ctx: &mut Ctx<'_>, delay_ms: i64, jitter_milli: i32) -> i64 {
    let most_ms = i128::from(delay_ms) * i128::from(jitter_milli.clamp(0, 1_000)) / 1_000;
    if most_ms <= 0 {
        return delay_ms;
    }
    let part = i128::from(ctx.rng.next_u64()) % (most_ms + 1);
    delay_ms - i64::try_from(part).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::grown_ms;

    #[test]
    fn delays_grow_up_to_the_maximum() {
        let delays: [i64; 8] = core::array::from_fn(|n| grown_ms(1_000, 60_000, 2_000, n as i32));
        assert_eq!(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    }

    #[test]
    fn extremes_end() {
        assert_eq!(grown_ms(0, 60_000, 2_000, i32::MAX), 0);
        assert_eq!(grown_ms(5, 60_000, 1_000, i32::MAX), 5);
        assert_eq!(grown_ms(1, i64::MAX, i32::MAX, i32::MAX), i64::MAX);
        assert_eq!(grown_ms(90, 10, 2_000, 3), 10);
        // Growth of less than one millisecond must not go on for two billion rounds.
        assert_eq!(grown_ms(1, 60_000, 1_001, i32::MAX), 1);
    }
}
