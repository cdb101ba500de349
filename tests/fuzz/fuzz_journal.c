/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of bytes that another person may have made: a line of the record file (an auditor's copy)
 * and the signature in it, the head, a file of public keys, and a datagram of NFLOG with packets in
 * it.
 *
 * LINK: appliance/journal/segment.c appliance/journal/checkpoint.c $(TAP_PARTS)
 * LIBS: hogweed nettle jansson libmnl libseccomp libcap-ng zlib
 */
#include <stdlib.h>

#include <string.h>

#include "appliance/journal/chain.h"
#include "appliance/journal/checkpoint.h"
#include "appliance/tap/tap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of the first example of RFC 8032, by which the corpus is signed. */
static const struct checkpoint_keys keys = { { { 0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
						 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
						 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a } },
					     1 };

static void signatures(const uint8_t *data, size_t size, uint64_t seq)
{
	struct checkpoint_keys read;
	struct checkpoint c;
	char *text = calloc(1, size + 1);

	if (text == NULL)
		return;
	memcpy(text, data, size);
	if (checkpoint_of_line(text, size, seq, &keys, &c) == CHECKPOINT_GOOD && c.record + 1 != seq)
		abort();
	if (checkpoint_keys_read(text, size, &read) && (read.n == 0 || read.n > CHECKPOINT_KEYS))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t zeros[32] = { 0 }, hash[32];
	struct tap t = { 0 };
	struct bytes b = bytes_of(data, size);
	struct event e;
	uint64_t seq;

	/* Reads the input as a line with a signature only if the line itself is valid; as a key in
	 * any case. */
	seq = 0;
	journal_line_check((const char *)data, size, zeros, hash, &seq);
	signatures(data, size, seq);
	journal_head_parse((const char *)data, size, &seq, hash);
	while (b.left > 0) {
		size_t before = b.left;

		if (tap_next(&t, &b, &e)) {
			uint8_t wire[EVENT_WIRE_MAX];
			struct event again;

			/* Every result is a record that the journal accepts. */
			if (!event_decode(bytes_of(wire, event_encode(&e, wire)), &again))
				abort();
		}
		if (b.left >= before)
			abort();
	}
	return 0;
}
