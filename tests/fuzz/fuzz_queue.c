/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a datagram of a queue socket: parsing must end, and every payload must lie inside
 * the datagram.
 *
 * LINK: appliance/worker/queue.c appliance/base/bytes.c appliance/base/err.c
 * LIBS: libmnl libnetfilter_queue
 */
#include <stdlib.h>

#include "appliance/worker/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes d = bytes_of(data, size);
	struct packet p;
	enum queue_item item;
	size_t n = 0;

	while ((item = queue_next(&d, &p)) != QUEUE_END) {
		if (++n > size || (item != QUEUE_PACKET && p.ip.left != 0))
			abort();
		if (p.ip.left > 0 && (p.ip.p < data || p.ip.left > size || p.ip.p + p.ip.left > data + size))
			abort();
	}
	return 0;
}
