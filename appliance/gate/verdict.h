/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds verdicts as netlink messages: several in one send, or one message that decides every
 * packet of a queue up to an id. Runs in the gate. Owns only the buffer inside a pack;
 * descriptors are borrowed. It writes messages and never reads one: if the kernel refuses a
 * verdict, the worker reads that error, because it reads the socket. Never sees a packet.
 */
#ifndef SEKISHO_GATE_VERDICT_H
#define SEKISHO_GATE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERDICT_ONE 40u /* bytes of the longest verdict message */
/* verdicts in one send; they fit in a page, because the kernel allocates larger sends
 * more slowly */
#define VERDICT_MAX 64u

/* Verdicts of one queue that wait to be sent. Starts zeroed. */
struct verdict_pack {
	uint32_t n;
	size_t len;
	_Alignas(8) uint8_t buf[VERDICT_MAX * VERDICT_ONE];
};

static inline bool verdict_full(const struct verdict_pack *p)
{
	return p->n == VERDICT_MAX;
}

/* Adds a verdict: the packet goes on with this mark. The pack must not be full. */
void verdict_accept(struct verdict_pack *p, uint16_t queue, uint32_t id, uint32_t mark);
void verdict_drop(struct verdict_pack *p, uint16_t queue, uint32_t id);
/* Sends the pack's verdicts on the queue's socket. Empties the pack even if that fails. 0 or
 * negative errno. */
int verdict_flush(struct verdict_pack *p, int fd);

/* Writes the message that decides all packets of `queue` up to `id`. Accepted packets keep their
 * marks. Returns its length, at most VERDICT_ONE. */
size_t verdict_upto_message(uint8_t out[VERDICT_ONE], uint16_t queue, uint32_t id, bool accept);
int verdict_upto(int fd, uint16_t queue, uint32_t id, bool accept);

#endif
