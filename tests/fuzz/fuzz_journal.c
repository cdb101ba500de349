/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three readers of bytes that somebody else may have made: a line of the record file (an auditor's copy), the head, and a
 * datagram of NFLOG with packets in it.
 *
 * LINK: appliance/journal/line.c appliance/tap/role.c appliance/tap/packet.c appliance/base/sha256.c
 * LINK: appliance/base/bytes.c appliance/wire/event.c appliance/wire/limit.c appliance/wire/reason.c appliance/wire/protocols.c
 * LINK: appliance/base/err.c appliance/base/clock.c appliance/base/json.c appliance/base/addr.c appliance/base/utf8.c
 * LINK: appliance/wire/msg.c appliance/wire/event_filter.c appliance/role/sandbox.c appliance/role/sandbox_table.c appliance/base/memfd.c
 * LIBS: nettle jansson libmnl libseccomp libcap-ng
 */
#include <stdlib.h>

#include "appliance/journal/chain.h"
#include "appliance/tap/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t zeros[32] = { 0 }, hash[32];
	struct tap t = { 0 };
	struct bytes b = bytes_of(data, size);
	struct event e;
	uint64_t seq;

	journal_line_check((const char *)data, size, zeros, hash, &seq);
	journal_head_parse((const char *)data, size, &seq, hash);
	while (b.left > 0) {
		size_t before = b.left;

		if (tap_next(&t, &b, &e)) {
			uint8_t wire[EVENT_WIRE_MAX];
			struct event again;

			/* Whatever comes out is a record that the journal takes. */
			if (!event_decode(bytes_of(wire, event_encode(&e, wire)), &again))
				abort();
		}
		if (b.left >= before)
			abort();
	}
	return 0;
}
