"""What specifications leave out and peers get wrong, fact by fact, and the tests that show it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rtmp_channels.protocol import Connection, Role
from rtmp_channels.protocol.constants import ChunkStreamId, MessageType

from .chunks import message, u32
from .peers import connected_server

TESTS = Path(__file__).parents[1]

FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "handshake": {
        "plain: S1 bytes 4 to 7 are zero, S2 echoes C1": (
            "protocol/test_handshake::test_plain_s1_has_zero_bytes_4_to_7_and_s2_echoes_c1_exactly",
        ),
        "S0 S1 S2, and connect's answer, each in one write, without Nagle": (
            "protocol/test_handshake::test_s0_s1_s2_are_one_write_and_only_after_c1",
            "protocol/test_connect::test_the_order_everyone_accepts_in_one_write",
            "server/test_endpoints::test_handshake_and_connect_are_answered_in_one_write_each",
            "server/test_live_server::test_no_write_waits_for_an_acknowledgement",
            "server/test_live_server::test_neither_does_one_of_a_session",
        ),
        "a version in C1 may mean a digest": (
            "protocol/test_handshake::test_digests_are_found_in_exactly_the_captures_that_have_one",
            "protocol/test_handshake::"
            "test_a_version_in_c1_without_a_valid_digest_falls_back_to_plain",
        ),
        "where the digest lies": (
            "protocol/test_handshake::test_digest_offset_is_the_sum_of_four_bytes_modulo_728",
        ),
        "which keys sign": (
            "protocol/test_handshake::test_digest_keys_have_62_and_68_bytes_with_their_tail",
        ),
        "both schemes are tried and answered in kind": (
            "protocol/test_handshake::test_digest_is_answered_in_the_scheme_found",
        ),
        "both roles": (
            "protocol/test_handshake::test_both_roles_complete_in_pieces_of_any_size",
            "protocol/test_handshake::"
            "test_client_takes_a_plain_server_although_it_offered_a_digest",
            "protocol/test_handshake::test_client_refuses_a_signed_s1_whose_s2_is_not_an_answer",
        ),
        "a player verifies the signature": (
            "streams/test_real_clients::test_ffprobe_sees_what_ffmpeg_publishes",
        ),
        "RTMPE is refused, RTMPS is TLS": (
            "protocol/test_handshake::test_another_version_is_refused_at_its_first_byte",
            "interop/test_daphne_endpoints::test_the_same_calls",
        ),
    },
    "chunk stream": {
        "chunk stream ids of three lengths, the longest little-endian": (
            "protocol/test_chunk_reader::test_chunk_stream_ids_of_one_two_and_three_bytes",
            "protocol/test_chunk_reader::test_three_byte_chunk_stream_id_is_little_endian",
        ),
        "the message stream id is little-endian": (
            "protocol/test_chunk_reader::test_message_stream_id_is_little_endian_all_else_big",
        ),
        "our chunk stream ids are small": (
            "protocol/test_chunk_writer::test_chunk_stream_ids_are_fixed_and_below_9",
        ),
        "extended timestamps: on every chunk, or left out by old librtmp": (
            "protocol/test_chunk_reader::"
            "test_extended_timestamp_is_repeated_on_every_format_3_chunk",
            "protocol/test_chunk_reader::"
            "test_old_librtmp_omits_the_extended_timestamp_on_continuations",
        ),
        "on formats 1 and 2 they are a delta": (
            "protocol/test_chunk_reader::test_extended_timestamp_on_formats_1_and_2_is_a_delta",
        ),
        "every absolute header has one from 16,777,215 ms on": (
            "protocol/test_chunk_reader::test_a_stream_that_starts_just_before_16777215_ms",
            "protocol/test_chunk_writer::"
            "test_from_16777215_ms_on_every_chunk_repeats_the_extended_timestamp",
        ),
        "times wrap at 2**32": (
            "protocol/test_chunk_reader::test_times_wrap_at_two_to_the_32",
            "media/test_timeline::test_difference_is_modular",
            "streams/test_real_clients::test_streams_that_start_just_before_a_limit",
        ),
        "format 3 may start a message": (
            "protocol/test_chunk_reader::"
            "test_format_3_may_start_a_message_and_after_format_0_the_delta_is_its_timestamp",
        ),
        "formats 2 and 3 without a parent are a clear error": (
            "protocol/test_chunk_reader::test_a_header_without_a_parent_is_a_clear_error",
        ),
        "Set Chunk Size holds from the next chunk on, on all chunk streams": (
            "protocol/test_chunk_reader::"
            "test_chunk_size_changes_with_the_next_chunk_half_read_messages_included",
        ),
        "its top bit, 0 and huge sizes": (
            "protocol/test_control::test_set_chunk_size_clears_the_top_bit_and_is_capped_at_ffffff",
            "protocol/test_control::test_set_chunk_size_refuses_0",
            "protocol/test_messages::test_a_chunk_size_of_2_gb_is_taken_and_allocates_nothing",
        ),
        "lengths are claims, and capped": (
            "protocol/test_chunk_reader::test_nothing_is_allocated_by_declared_length",
            "protocol/test_chunk_reader::test_message_length_is_limited_at_the_header",
            "protocol/test_chunk_reader::test_partial_bytes_are_limited_over_all_chunk_streams",
            "protocol/test_chunk_reader::test_the_number_of_chunk_streams_is_limited",
        ),
        "acknowledgements: modulo 2**32, at half the window, the handshake counted or not": (
            "protocol/test_acknowledgement::test_an_acknowledgement_is_due_at_half_the_window",
            "protocol/test_messages::test_bytes_are_acknowledged_modulo_two_to_the_32",
            "protocol/test_messages::"
            "test_acknowledgements_of_the_peer_with_and_without_the_handshake",
        ),
        "no acknowledgement is no reason to stall": (
            "protocol/test_wire_facts::test_a_peer_that_acknowledges_nothing_is_served",
        ),
        "abort drops that chunk stream's message": (
            "protocol/test_chunk_reader::"
            "test_abort_drops_that_chunk_streams_partial_message_and_no_other",
        ),
        "control messages travel on chunk stream 2, message stream 0": (
            "protocol/test_wire_facts::test_control_messages_have_a_chunk_stream_of_their_own",
        ),
        "times in aggregates are relative to the first": (
            "protocol/test_aggregate::test_sub_message_times_are_relative_to_the_first",
        ),
        "a chunk size of 65,536 is announced before connect's answer": (
            "protocol/test_connect::"
            "test_the_answer_to_connect_is_in_chunks_of_the_size_announced_before_it",
        ),
    },
    "commands": {
        "connect: type 20, AMF0, transaction 1": (
            "protocol/test_connect::test_connect_itself_is_answered_in_type_20",
        ),
        "control messages may come before it": (
            "protocol/test_connect::test_control_messages_may_come_before_connect",
        ),
        "its answer's order": (
            "protocol/test_connect::test_the_order_everyone_accepts_in_one_write",
        ),
        "type 20 unless objectEncoding 3 was asked": (
            "protocol/test_connect::test_answer_in_type_20_unless_object_encoding_3_was_asked",
        ),
        "type 17: a byte 00, AMF3 behind 11 each time, tables fresh or not": (
            "protocol/test_commands::"
            "test_type_17_is_one_byte_00_then_amf0_values_each_amf3_value_behind_its_own_11",
            "protocol/test_commands::test_amf3_tables_are_read_fresh_per_value",
            "protocol/test_commands::"
            "test_amf3_is_written_so_that_readers_with_fresh_and_with_shared_tables_agree",
        ),
        "more arguments of connect": (
            "protocol/test_connect::test_connect_request_has_app_query_arguments_and_encoding",
            "interop/test_connect_arguments::test_rtmpdump",
            "interop/test_connect_arguments::test_ffmpeg",
        ),
        "app: segments, query, slash, nothing; queries in tcUrl; prefixes": (
            "protocol/test_names::test_app_may_hold_segments_a_query_a_trailing_slash_or_nothing",
            "protocol/test_names::test_stream_names_have_prefixes_and_queries",
        ),
        "answers echo the transaction id; 0 asks for none": (
            "protocol/test_commands::"
            "test_a_call_is_reported_and_its_result_echoes_the_transaction_id",
            "protocol/test_commands::test_with_transaction_id_0_nothing_is_answered",
        ),
        "an unknown command is NetConnection.Call.Failed": (
            "interop/test_rtmp_client::test_unknown_method_is_an_error",
            "server/test_calls::test_unknown_method_with_an_id_is_an_error",
            "server/test_calls::test_unknown_method_without_an_id_is_not_answered",
        ),
        "never _error to releaseStream or FCPublish": (
            "protocol/test_commands::test_never_an_error_to_release_stream_or_fc_publish",
        ),
        "GStreamer's transactions 0, and its deleteStream by name": (
            "protocol/test_captures::test_gstreamers_rtmp2_plays_with_transaction_0",
            "protocol/test_commands::test_gstreamers_delete_stream_carries_the_streams_name",
        ),
        "a second createStream gives a new id": (
            "protocol/test_commands::test_a_second_create_stream_gives_a_new_id",
        ),
        "onStatus goes to its stream, or to the connection": (
            "protocol/test_commands::test_status_goes_to_its_stream_or_to_the_connection",
        ),
        "play: what comes in which order": (
            "protocol/test_commands::test_play_is_accepted_with_all_that_precedes_metadata",
            "streams/test_playing::test_a_late_joiner_starts_with_metadata_headers_and_a_keyframe",
        ),
        "recorded: StreamIsRecorded, and its end": (
            "protocol/test_commands::test_play_without_reset_and_recorded",
            "protocol/test_commands::test_the_end_of_a_play",
        ),
        "play's start and duration, and who multiplies them": (
            "protocol/test_commands::test_play_start_and_duration",
        ),
        "publish's type may be missing": (
            "protocol/test_commands::test_publish_type_may_be_missing",
        ),
        "@setDataFrame, a bare onMetaData, wrong ECMA counts": (
            "protocol/test_messages::test_set_data_frame_is_stripped_and_kept",
            "protocol/test_messages::test_nginx_push_sends_a_bare_on_meta_data",
            "protocol/test_messages::test_ecma_counts_in_metadata_are_often_wrong",
        ),
        "every ending is one unpublish; closeStream leaves the stream usable": (
            "protocol/test_commands::test_every_ending_is_one_idempotent_unpublish",
            "protocol/test_commands::test_close_stream_leaves_the_stream_usable_and_is_confirmed",
            "streams/test_connections::test_every_ending_unpublishes_once",
        ),
        "dead publishers, and others": (
            "streams/test_connections::test_a_publisher_that_falls_silent_is_ended",
            "server/test_dead_peers::test_one_who_answers_no_ping_is_ended_and_one_who_does_is_not",
        ),
        "a second publisher is refused, takes over or waits": (
            "streams/test_connections::test_a_second_publisher_is_refused",
            "streams/test_connections::test_a_second_publisher_takes_over",
            "streams/test_connections::test_a_second_publisher_waits_for_the_first",
        ),
        "getStreamLength on stream 0, SetBufferLength before createStream": (
            "protocol/test_commands::test_get_stream_length_comes_on_stream_0_before_play",
            "protocol/test_messages::test_set_buffer_length_may_come_before_create_stream",
        ),
        "_checkbw, if onBWDone is sent": (
            "protocol/test_commands::test_a_bandwidth_check_is_measured_by_the_server",
            "interop/test_connect_arguments::test_rtmpdump_takes_part_in_a_bandwidth_check",
        ),
        "a rejection may hold Adobe's challenge": (
            "protocol/test_connect::test_the_first_rejection_may_hold_a_challenge",
        ),
    },
    "dialects": {
        "who offers a digest": ("protocol/test_captures::test_the_handshake_of_each",),
        "what they say first, on which chunk stream, in which format": (
            "protocol/test_captures::test_who_says_what_on_which_chunk_stream_in_which_format",
        ),
        "ffmpeg, OBS, GStreamer and nginx publish": (
            "protocol/test_captures::test_publishers_are_understood_until_they_are_cut",
            "protocol/test_captures::test_ffmpeg_publish_is_answered_command_by_command",
            "interop/test_recordings::test_all_that_a_recorded_publisher_sends_reaches_a_player",
        ),
        "ffmpeg, mpv and VLC play": ("protocol/test_captures::test_ffmpeg_mpv_and_vlc_play",),
        "librtmp plays and calls": (
            "protocol/test_captures::test_librtmp_plays",
            "protocol/test_captures::test_librtmp_calls_and_is_called",
        ),
        "GStreamer's rtmp2 and nginx pull": (
            "protocol/test_captures::test_gstreamers_rtmp2_plays_with_transaction_0",
            "protocol/test_captures::test_nginx_pulls",
        ),
        "npm rtmp-client": (
            "protocol/test_captures::test_rtmp_client_calls_is_called_and_changes_a_shared_object",
            "protocol/test_captures::test_rtmp_clients_ping_request_is_answered",
            "interop/test_rtmp_client::test_calls_both_ways",
        ),
        "each runs to its end on the real server": ("interop/test_recordings::test_replay",),
    },
    "hostile and unlucky input": {
        "oversized chunk sizes and lengths": (
            "protocol/test_messages::test_a_chunk_size_of_2_gb_is_taken_and_allocates_nothing",
            "protocol/test_chunk_reader::test_nothing_is_allocated_by_declared_length",
            "server/test_hostile::test_a_message_longer_than_allowed",
        ),
        "chunks of one byte": ("protocol/test_messages::test_tiny_chunk_sizes_are_refused",),
        "thousands of chunk streams or half messages": (
            "protocol/test_chunk_reader::test_the_number_of_chunk_streams_is_limited",
            "protocol/test_hostile::test_half_messages_on_many_chunk_streams_are_bounded",
            "server/test_limits::test_what_the_protocol_floor_refuses",
        ),
        "endless handshakes": (
            "protocol/test_hostile::test_an_endless_handshake_keeps_3073_bytes",
            "server/test_limits::test_handshake_time",
        ),
        "floods of pings": (
            "protocol/test_messages::test_a_flood_of_pings_is_answered_in_part",
            "protocol/test_hostile::test_floods_leave_nothing_behind",
        ),
        "createStream loops": (
            "protocol/test_client_role::test_create_stream_that_fails_is_a_result",
        ),
        "readers that stall": (
            "server/test_stalled_readers::test_trap_4_stalled_reader_on_rtmp",
            "server/test_limits::test_stall_time",
        ),
        "publishers that lie about time": (
            "protocol/test_hostile::test_publishers_that_lie_about_time_are_taken_at_their_word",
            "media/test_timeline::test_difference_is_modular",
        ),
    },
}


@cache
def names_in(module: str) -> frozenset[str]:
    tree = ast.parse((TESTS / f"{module}.py").read_text())
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("section", FACTS)
def test_every_fact_has_its_tests(section):
    missing = [
        (fact, test)
        for fact, tests in FACTS[section].items()
        for test in tests
        if test.partition("::")[2] not in names_in(test.partition("::")[0])
    ]
    assert missing == []


def test_a_peer_that_acknowledges_nothing_is_served():
    """Six windows of video, and a call, without one Acknowledgement."""
    connection, written = connected_server(window_acknowledgement_size=10_000)
    connection.receive_data(message(u32(10_000), type=5))
    for time in range(60):
        connection.send_message(1, MessageType.VIDEO, time, bytes(1_000))
    assert len(written.messages()) == 60
    connection.send_call("still here")
    assert [values[0] for _, values in written.commands()] == ["still here"]


def test_control_messages_have_a_chunk_stream_of_their_own():
    """Types 1 and 3 to 6, as both sides write them: chunk stream 2, message stream 0, time 0."""
    client, server = Connection(Role.CLIENT), Connection()
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send())
    client.send_connect({"app": "lobby", "tcUrl": "rtmp://host/lobby"})
    server.receive_data(client.data_to_send())
    server.accept_connect()
    server.send_ping(1.0)
    server.receive_data(message(u32(1000), type=5))
    server.receive_data(message(bytes(500), type=9, chunk_size=1_000))
    written = server.data_to_send()
    client.receive_data(written)
    client.send_buffer_length(0, 300)
    assert set(control_types(written)) == {1, 3, 4, 5, 6}
    assert set(control_types(client.data_to_send())) == {4, 5}


def control_types(data: bytes) -> Iterator[int]:
    """Of each control message among messages of one format 0 chunk each."""
    while data:
        if data[7] <= 6:
            assert data[0] & 0x3F == ChunkStreamId.CONTROL
            assert data[1:4] == bytes(3), "its time"
            assert data[8:12] == bytes(4), "its message stream"
            yield data[7]
        data = data[12 + int.from_bytes(data[4:7], "big") :]
