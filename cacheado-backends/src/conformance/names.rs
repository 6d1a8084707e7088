//! The macro, and the names of all checks.

/// Makes one `#[test]` of each check of the [suite](mod@crate::conformance).
///
/// The first argument opens a fresh [`Subject`](crate::conformance::Subject): an async function or closure. The
/// second says what the backend cannot have: `without(bus)`, `without(second_node)` or
/// `without(bus, second_node)`.
#[macro_export]
macro_rules! conformance {
    (@run $fresh:expr, $why:literal; $($name:ident)*) => {$(
        #[test]
        fn $name() {
            $crate::conformance::$name($fresh);
        }
    )*};
    (@skip $fresh:expr, $why:literal; $($name:ident)*) => {$(
        #[test]
        #[ignore = $why]
        fn $name() {
            $crate::conformance::$name($fresh);
        }
    )*};
    (@names $fresh:expr, $why:literal; $($name:ident)*) => {
        [$(stringify!($name)),*]
    };
    (@anywhere $then:ident $fresh:expr) => {
        $crate::conformance! { @$then $fresh, "";
            // backend/values.rs
            a_value_comes_back
            what_is_not_there_is_none
            an_empty_value_is_a_value
            every_byte_comes_back
            a_large_value_comes_back_whole
            a_put_replaces_the_value
            remove_says_whether_there_was_an_entry
            clear_removes_and_counts
            stats_count_entries
            // backend/expiry.rs
            hazard_10_an_entry_expires
            hazard_12_a_tiny_lifetime_is_rounded_up
            hazard_12_a_huge_lifetime_does_not_overflow
            the_remaining_lifetime_is_told
            hazard_27_a_put_replaces_the_lifetime
            hazard_10_what_has_expired_is_nowhere
            what_has_expired_leaves_the_listing_by_itself
            // backend/batches.rs
            a_batch_keeps_its_order
            a_batch_may_be_empty
            a_batch_may_have_a_thousand_keys
            // backend/keys.rs
            hazard_8_any_text_is_a_key
            a_key_may_have_1024_bytes
            keys_begin_with_their_prefix
            hazard_8_a_prefix_is_no_pattern
            a_listing_is_whole
            // backend/isolation.rs
            namespaces_do_not_see_each_other
            hazard_8_clear_leaves_other_namespaces_alone
            // backend/concurrency.rs
            a_value_is_seen_whole
            parallel_puts_are_all_kept
            of_parallel_removals_one_finds_the_entry
            // backend/limits.rs
            a_value_is_stored_whole_or_refused
            hazard_19_a_dropped_operation_is_done_or_not
            // tier/entries.rs
            a_set_is_read
            a_blocking_get_answers_the_same
            a_fill_is_read
            evict_says_whether_there_was_an_entry
            entries_of_a_tier_expire
            a_lifetime_can_be_changed
            hazard_8_a_tier_clears_its_own_namespace
            hazard_24_a_tier_works_on_any_executor
            a_bus_is_there_if_it_is_announced
            // tier/groups.rs
            a_group_is_evicted_and_counted
            groups_may_be_nested
            hazard_28_an_overwritten_entry_changes_groups
            hazard_28_expired_members_are_not_counted
            hazard_28_a_short_lived_member_does_not_end_the_index
            a_tag_is_not_needed_to_read
            groups_with_like_names_stay_apart
            a_group_of_a_thousand_is_evicted_whole
            a_group_can_be_filled_again
            // tier/fences.rs
            hazard_21_an_eviction_fences_off_fills
            hazard_22_a_late_fill_leaves_a_newer_value_alone
            hazard_22_a_retraction_leaves_a_newer_value_alone
            evicting_other_things_fences_off_nothing
            hazard_25_giving_a_claim_up_frees_no_other
            a_fill_that_takes_too_long_is_fenced_off
            hazard_19_what_is_dropped_leaves_nothing_old
            // tier/leases.rs
            a_leased_claim_can_be_filled
            hazard_25_a_lease_is_held_by_one
            hazard_25_of_parallel_wishes_one_is_granted
            what_has_been_filled_is_found
            hazard_25_a_lease_ends_by_itself
            hazard_25_a_lease_is_ended_by_its_owner
            hazard_21_an_eviction_ends_the_lease
            // tier/load.rs
            hazard_21_nothing_old_is_read_under_load
            of_parallel_sets_one_is_read
            parallel_evictions_count_nothing_twice
        }
    };
    (@second_node $then:ident $fresh:expr) => {
        $crate::conformance! { @$then $fresh, "without(second_node)";
            a_second_node_sees_what_the_first_has_done
            nodes_share_entries
            hazard_21_an_eviction_fences_off_fills_of_another_node
        }
    };
    (@bus $then:ident $fresh:expr) => {
        $crate::conformance! { @$then $fresh, "without(bus)";
            a_subscription_begins_with_a_gap
            every_eviction_tells_its_notice
            without_a_notice_nothing_is_told
            a_dropped_next_loses_no_event
            a_notice_stays_in_its_namespace
        }
    };
    (@bus_of_two_nodes $then:ident $fresh:expr) => {
        $crate::conformance! { @$then $fresh, "without(bus) or without(second_node)";
            another_node_is_told
        }
    };
    ($fresh:expr $(,)?) => {
        $crate::conformance!(@anywhere run $fresh);
        $crate::conformance!(@second_node run $fresh);
        $crate::conformance!(@bus run $fresh);
        $crate::conformance!(@bus_of_two_nodes run $fresh);
    };
    ($fresh:expr, without(bus) $(,)?) => {
        $crate::conformance!(@anywhere run $fresh);
        $crate::conformance!(@second_node run $fresh);
        $crate::conformance!(@bus skip $fresh);
        $crate::conformance!(@bus_of_two_nodes skip $fresh);
    };
    ($fresh:expr, without(second_node) $(,)?) => {
        $crate::conformance!(@anywhere run $fresh);
        $crate::conformance!(@second_node skip $fresh);
        $crate::conformance!(@bus run $fresh);
        $crate::conformance!(@bus_of_two_nodes skip $fresh);
    };
    ($fresh:expr, without(bus, second_node) $(,)?) => {
        $crate::conformance!(@anywhere run $fresh);
        $crate::conformance!(@second_node skip $fresh);
        $crate::conformance!(@bus skip $fresh);
        $crate::conformance!(@bus_of_two_nodes skip $fresh);
    };
}
