/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector and change: a flow's whole life under one permit, and what becomes of a flow whose permit changes.
 *
 * LINK: dpi/inspect/inspect.c dpi/inspect/flow.c dpi/inspect/tcp.c dpi/inspect/wait.c dpi/inspect/datagram.c
 * LINK: dpi/inspect/name.c dpi/inspect/again.c dpi/inspect/command.c dpi/inspect/event.c dpi/decode.c dpi/flow.c
 * LINK: dpi/share.c dpi/stream.c dpi/pool.c dpi/name.c dpi/recognise.c dpi/plausible.c dpi/datagram.c appliance/base/bytes.c
 * LINK: appliance/base/addr.c appliance/wire/commands.c appliance/wire/reason.c appliance/wire/protocols.c
 * LINK: appliance/base/sha256.c appliance/wire/vocabulary.c
 * LIBS: libndpi nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/dpi/inspect_setup.h"

/* Both ends of an observed session say that they are done while bytes before a gap are still missing; then it goes on. */
static void closed_and_heard_again(void **state)
{
	static const uint32_t permits[] = { P_TOY_OBSERVE, P_TOY_PICK_UP, P_TOY_HOLD_PICK_UP };
	uint8_t pdu[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct conn k = desk_conn(permits[i]);

		toy_pdu(pdu, 12, 3);
		desk_handshake(&k);
		desk_segment(&k, DIR_C2S, k.c + 1, k.s, DESK_ACK, pdu + 1, 6); /* behind a gap of one byte */
		desk_now += 11000000u;
		inspector_tick(desk_i);
		desk_segment(&k, DIR_C2S, k.c + 7, k.s, DESK_ACK | DESK_FIN, NULL, 0);
		desk_segment(&k, DIR_S2C, k.s, k.c + 8, DESK_ACK | DESK_FIN, NULL, 0);
		desk_now += 11000000u;
		inspector_tick(desk_i);
		desk_segment(&k, DIR_C2S, k.c + 8, k.s + 1, DESK_ACK, pdu, 12);
		if (permits[i] == P_TOY_OBSERVE)
			assert_int_equal(desk.outcome[desk_id], OUTCOME_ACCEPT);
		else
			assert_int_equal(desk.outcome[desk_id], OUTCOME_DROP);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(closed_and_heard_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
