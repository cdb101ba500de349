/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a packet, under each rule for checksums. What is decoded must lie inside the input,
 * and must decode in the same way when it is cut to what was found.
 *
 * LINK: dpi/decode.c appliance/base/bytes.c appliance/base/addr.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dpi/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum checksum_rule rules[] = { CHECKSUM_STRICT, CHECKSUM_UNREADY, CHECKSUM_FLAG };

	for (unsigned i = 0; i < 3; i++) {
		struct decoded d, again;

		if (decode_packet(bytes_of(data, size), rules[i], &d) != R_NONE)
			continue;
		if (d.ip.p != data || d.ip.left > size || d.payload.p < data || d.payload.left > d.ip.left ||
		    d.payload.p + d.payload.left != data + d.ip.left)
			abort();
		if (decode_packet(d.ip, rules[i], &again) != R_NONE || again.payload.left != d.payload.left ||
		    addr_cmp(&again.src, &d.src) != 0 || again.dport != d.dport)
			abort();
	}
	return 0;
}
