/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms: prepared verdict messages. A worker can send nothing else to the kernel.
 *
 * The kernel demands CAP_NET_ADMIN of a process that sends a verdict, but a process that reads
 * hostile bytes must not have the other powers of that capability. So a worker fills in forms. They
 * are written before the sandbox closes, into memory that nobody can write afterwards (a sealed
 * memfd), together with message headers for sendmsg that point to their parts. The worker sets only
 * the packet's id and three bytes of its mark (permit and outcome); queue, kind of verdict and lane
 * are fixed. On netlink sockets, the sandbox allows a worker to send only with these message
 * headers, and nothing else can be mapped at the addresses of the forms (wire/form_place.h,
 * role/sandbox_table.c).
 *
 * Only workers for lanes with commands have forms. A worker with nDPI has none, so its gate sends
 * every verdict. There is no form that lets a packet of the cut lane go on. The kernel accepts a
 * verdict for a queue only from the socket that bound the queue, so a form works only for packets
 * of the worker's own queue.
 *
 * A process makes its forms once, and their memory lasts until it ends. No allocation after
 * forms_make.
 */
#ifndef SEKISHO_WORKER_FORM_H
#define SEKISHO_WORKER_FORM_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/ring.h"

/* Writes and seals the forms for all lanes with commands. To be called before the sandbox closes. 0
 * or negative errno. */
int forms_make(struct err *e);
/* For a worker without forms: reserves their addresses, so that nothing else can be mapped there.
 * To be called before the sandbox closes. 0 or negative errno. */
int forms_none(struct err *e);

#define FORM_MOST 16u /* verdicts in one send */

/* A verdict on a packet. Permit and outcome are those of its flow; a drop needs neither. */
struct form_entry {
	uint32_t id;
	uint32_t permit;
	enum outcome outcome;
};

/*
 * Each function sends on `fd`, the socket of the queue's lane, and returns 0, or negative errno if
 * nothing was sent: -ENOENT if there is no form for the queue.
 */
/* Lets n packets (1 to FORM_MOST) go on, each with its permit and outcome. */
int form_accept(int fd, uint16_t queue, const struct form_entry *e, uint32_t n);
int form_drop(int fd, uint16_t queue, uint32_t id);
/* Decides every packet of the queue with an id up to e->id, all as `e` says. */
int form_upto(int fd, uint16_t queue, const struct form_entry *e);

#endif
