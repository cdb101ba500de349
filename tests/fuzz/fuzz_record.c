/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the records in a sealed memfd that a role with fewer privileges hands over. Each
 * record is refused, or it is within its bounds and is written as the same bytes. The first byte
 * chooses the kind of record.
 *
 * LINK: appliance/wire/msg.c appliance/base/bytes.c
 * LINK: appliance/base/err.c appliance/base/utf8.c
 * LINK: appliance/base/memfd.c
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
#define RECORD(NAME, name, fields)                                                                                     \
	static void all_##name(struct bytes b)                                                                         \
	{                                                                                                              \
		struct msg_##name x;                                                                                   \
                                                                                                                       \
		for (const uint8_t *at = b.p; msg_take_##name(&b, &x); at = b.p) {                                     \
			uint8_t again[NAME##_BYTES];                                                                   \
			struct outbuf o = outbuf_of(again, sizeof(again));                                             \
                                                                                                                       \
			msg_put_##name(&o, &x);                                                                        \
			if (o.failed || o.len != sizeof(again) || memcmp(again, at, sizeof(again)) != 0)               \
				abort();                                                                               \
		}                                                                                                      \
	}
#include "appliance/wire/message.def"

static void (*const kinds[])(struct bytes b) = {
#define RECORD(NAME, name, fields) all_##name,
#include "appliance/wire/message.def"
};
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](bytes_of(data + 1, size - 1));
	return 0;
}
