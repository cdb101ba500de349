/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading frames: of capture files, pcap and pcapng, and of an interface to which a switch mirrors
 * them. The only module that includes libpcap. It judges nothing and sends nothing. Frames of link
 * layers that nobody here can read are counted.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_CAPTURE_H
#define SEKISHO_MGMT_CLI_REPLAY_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

struct capture;

struct capture_frame {
	uint32_t number;  /* from 1, as other tools count */
	uint64_t wall_ns; /* since 1970-01-01 UTC, as the file says */
	bool has_ip;
	struct bytes ip; /* from the IP header on; valid until the next capture_next */
	bool cut;	 /* the capture holds fewer bytes than the frame had on the wire */
};

enum capture_step {
	CAPTURE_FRAME,
	CAPTURE_END,
	CAPTURE_DAMAGED,
	CAPTURE_IDLE, /* an interface: nothing more for now */
};

/* NULL with *e filled. `from` is taken over, and closed at the end or on failure; `name` and `lang`
 * are for messages. */
struct capture *capture_open(FILE *from, const char *name, enum lang lang, struct err *e);
/*
 * The frames that `device` receives, Ethernet with its tags, from now on; promiscuous until it is
 * closed or its process ends. At most RING bytes wait in the kernel. Needs CAP_NET_RAW, and nothing
 * later does. NULL with *e filled.
 */
#define CAPTURE_RING (32u << 20)
#define CAPTURE_BLOCK_MS 100 /* so long a frame may wait for others before it is handed on */
struct capture *capture_live(const char *device, enum lang lang, struct err *e);
/* Waits until there is a frame, a signal came, or milliseconds have passed. */
void capture_wait(struct capture *c, int milliseconds);
/* Frames of an interface for which there was no room, since it was opened. Call it more often than
 * 2^32 of them are lost. */
uint64_t capture_lost(struct capture *c);
void capture_close(struct capture *c); /* accepts NULL */
/* CAPTURE_DAMAGED fills *e; nothing more can be read after it. At the end, too, ret->number is the
 * last frame read. */
enum capture_step capture_next(struct capture *c, struct capture_frame *ret, struct err *e);
/* How many frames had a link layer that cannot be read; when there are any, *ret_what says so. */
uint32_t capture_unread(const struct capture *c, char *ret_what, size_t size);

#endif
