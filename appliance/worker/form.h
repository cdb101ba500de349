/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of verdicts: all that a worker can say to the kernel.
 *
 * The kernel asks CAP_NET_ADMIN of whoever sends a verdict, and a process that reads hostile bytes must not have what that
 * capability is good for. So a worker fills in forms: messages written before the sandbox closes, into memory that nobody
 * can write again (a sealed memfd), with heads for sendmsg that point to their parts. Blank are the packet's id, and of the mark
 * that it goes on with the three bytes of permit and outcome; queue, kind of verdict and lane are printed. The sandbox lets a
 * worker send what such a head points to and nothing else on any socket of netlink, nor put anything else in the forms' place
 * (wire/form_place.h, role/sandbox_table.c).
 *
 * Only workers for commands have forms: where nDPI parses, not even this is given away, and the gate says every verdict. There is
 * no form that lets a packet of the cut lane go on. The kernel takes a verdict for a queue from the socket that
 * bound it alone, so a form is good for packets of its own queue.
 *
 * One set of forms in a process, made once; owns its memory until the process ends. No allocation after forms_make.
 */
#ifndef SEKISHO_WORKER_FORM_H
#define SEKISHO_WORKER_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/ring.h"

/* Writes and seals the forms for all lanes with commands. Before the sandbox closes. 0 or negative errno. */
int forms_make(struct err *e);
/* A worker that gets none: nothing else comes to lie in their place either. Before the sandbox closes. 0 or negative errno. */
int forms_none(struct err *e);

#define FORM_MOST 16u /* verdicts in one send */

/* On which packet, and what. The permit and outcome are those that its flow was judged by; a drop needs none. */
struct form_entry {
	uint32_t id;
	uint32_t permit;
	enum outcome outcome;
};

/*
 * Each sends on `fd`, the socket of the queue's lane, and returns 0 or negative errno: nothing was said, as for a queue that there is no
 * form for (-ENOENT).
 */
/* n packets (1 to FORM_MOST), all of which go on, each with its permit and outcome. */
int form_accept(int fd, uint16_t queue, const struct form_entry *e, uint32_t n);
int form_drop(int fd, uint16_t queue, uint32_t id);
/* Every packet of the queue up to e->id, as if each had this entry. */
int form_upto(int fd, uint16_t queue, const struct form_entry *e);

#endif
