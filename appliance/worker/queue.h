/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NFQUEUE sockets: opening one (supervisor) and receiving many packets per call (worker).
 *
 * queue_open runs in the data namespace with CAP_NET_ADMIN. The rest needs no privilege: it
 * receives datagrams and takes them apart. Nothing here ever sends a verdict. A reader owns its
 * buffers; the packets it yields are borrowed from them until the next queue_receive.
 */
#ifndef SEKISHO_WORKER_QUEUE_H
#define SEKISHO_WORKER_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "dpi/inspect/inspect.h"

#define QUEUE_COPY 0xffffu
/* bytes for the largest payload with headers and attributes. An odd number of cache lines, so that
 * the buffers begin in different cache sets. */
#define QUEUE_BUFFER (QUEUE_COPY + 1u + 2112u)

struct queue_rule {
	uint32_t maxlen; /* number of packets that may wait in each slot's queue */
	bool fail_open;	 /* a full queue lets packets pass without a verdict */
	/*
	 * True: packets arrive as they will leave, segmented and with checksums. False: they arrive
	 * as they are in the kernel, as many segments at once (GSO), and with a position at which
	 * the kernel will still write a checksum. On a virtual interface the sender chooses that
	 * position. It may be in the middle of a command, so the bytes that leave can differ from
	 * those that were inspected.
	 */
	bool finished;
};

/*
 * Opens one socket that receives the queues of these slots of a lane (bit n = slot n) in the
 * current network namespace, with whole packets. Non-blocking; owned by the caller; negative errno
 * on failure (-EBUSY or -EPERM: another process has a queue, or the privilege is missing).
 */
int queue_open(uint32_t lane, uint8_t slots, const struct queue_rule *rule, struct err *e);

/*
 * Makes the kernel load its module for queues, which it loads only when a queue is first requested.
 * In any network namespace, with CAP_NET_ADMIN; changes nothing else. 0 or negative errno.
 */
int queue_ready(struct err *e);

struct queue_reader;

/* Buffers for `batch` datagrams (1 to 256) of 64 KiB and headers. NULL when memory is out. */
struct queue_reader *queue_reader_new(unsigned batch);
void queue_reader_free(struct queue_reader *r); /* accepts NULL */
/* Receives the datagrams that are there, up to `most`; never waits. Returns their number, or
 * negative errno (-EAGAIN: none is there). */
int queue_receive(struct queue_reader *r, int fd, unsigned most);
/* The i-th datagram of the last receive. */
struct bytes queue_datagram(const struct queue_reader *r, unsigned i);

enum queue_item {
	QUEUE_END,    /* nothing left in the datagram */
	QUEUE_PACKET, /* *ret is filled in */
	QUEUE_ERROR,  /* the kernel's answer to a verdict, for example that the id is gone */
	QUEUE_OTHER,  /* another message, or an inconsistent one */
};

/* Takes the next netlink message off the datagram. Sets the packet's field `frame` to 0. */
enum queue_item queue_next(struct bytes *datagram, struct packet *ret);

#endif
