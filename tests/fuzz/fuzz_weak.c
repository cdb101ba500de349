/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the list of servers with weak TLS on the disk: what is accepted is within its
 * bounds, can be worked with, and is written as it was read.
 *
 * LINK: appliance/journal/weak.c appliance/base/atomic_file.c appliance/base/columns.c
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include <stdlib.h>
#include <string.h>

#include "appliance/journal/weak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct weak_list l;
	struct weak_server s = { .address = { .family = 4, .b = { 10, 0, 0, 1 } },
				 .port = 443,
				 .bits = 1,
				 .conduit = "a",
				 .first = 1,
				 .last = 2,
				 .sessions = 1 };

	if (!columns_read(&weak_file, data, size, &l)) {
		if (l.n != 0 || l.beyond != 0 || l.damaged)
			abort();
		return 0;
	}
	if (l.n > WEAK_SERVERS)
		abort();
	weak_see(&l, &s);
	weak_review(&l, 0, 3, 3);
	weak_tidy(&l, 4);
	if (l.n > WEAK_SERVERS || l.damaged)
		abort();
	for (size_t i = 0; i < l.n; i++)
		if (l.list[i].last < l.list[i].first || l.list[i].sessions > WEAK_SESSIONS ||
		    memchr(l.list[i].conduit, 0, WEAK_CONDUIT) == NULL)
			abort();
	return 0;
}
