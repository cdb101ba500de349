/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NFQUEUE sockets: opening one (supervisor) and receiving many packets per call (worker).
 *
 * queue_open runs in the data namespace with CAP_NET_ADMIN. The rest needs no privilege: it receives datagrams and takes
 * them apart. Nothing here ever sends a verdict. A reader owns its buffers; the packets it yields are borrowed from them
 * until the next queue_receive.
 */
#ifndef SEKISHO_WORKER_QUEUE_H
#define SEKISHO_WORKER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "dpi/inspect/inspect.h"

struct queue_rule {
	uint32_t maxlen; /* packets that may wait in each slot */
	bool fail_open;	 /* a full queue lets packets by unanswered */
	/*
	 * Packets come as they will leave: cut, and their checksums written. Else they come as they are in the kernel,
	 * many segments at once (GSO) and with the place where a checksum is still to be written. On a virtual interface
	 * that place is the sender's word and may lie in the middle of a command: what leaves is not what was read.
	 */
	bool finished;
};

/*
 * One socket for these slots of a lane (bit n = slot n), queues of the current network namespace, packets copied whole.
 * Non-blocking; owned by the caller; negative errno on failure (-EBUSY or -EPERM: somebody else has a queue, or no privilege).
 */
int queue_open(uint32_t lane, uint8_t slots, const struct queue_rule *rule, struct err *e);

/*
 * The kernel has what queues are made of only when somebody has asked for one since its start; this has it load that, where it is a module. In any network
 * namespace, with CAP_NET_ADMIN; changes nothing. 0 or negative errno.
 */
int queue_ready(struct err *e);

struct queue_reader;

/* Buffers for `batch` datagrams (1 to 256) of 64 KiB and headers. NULL when memory is out. */
struct queue_reader *queue_reader_new(unsigned batch);
void queue_reader_free(struct queue_reader *r); /* accepts NULL */
/* Receives up to `most` datagrams that are there; never waits. Their number, or negative errno (-EAGAIN: none). */
int queue_receive(struct queue_reader *r, int fd, unsigned most);
/* The i-th datagram of the last receive. */
struct bytes queue_datagram(const struct queue_reader *r, unsigned i);

enum queue_item {
	QUEUE_END,    /* nothing left in the datagram */
	QUEUE_PACKET, /* *ret is filled in */
	QUEUE_ERROR,  /* the kernel's answer to a verdict, for example that the id is gone */
	QUEUE_OTHER,  /* something that is no packet, or a message that contradicts itself */
};

/* Takes the next netlink message off the datagram. `frame` of the packet is 0. */
enum queue_item queue_next(struct bytes *datagram, struct packet *ret);

#endif
