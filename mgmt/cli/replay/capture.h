/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads frames from capture files (pcap and pcapng), or from an interface at the mirror port of a
 * switch. The only module that includes libpcap. It judges nothing and sends nothing. Frames with
 * an unsupported link layer are counted.
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
	CAPTURE_IDLE, /* only for an interface: no further frame at present */
};

/* NULL with *e filled. Takes over `from`, and closes it at the end or on failure; `name` and `lang`
 * are for messages. */
struct capture *capture_open(FILE *from, const char *name, enum lang lang, struct err *e);
/*
 * Captures the frames that `device` receives from now on, Ethernet with tags. The device is
 * promiscuous until the capture is closed or its process ends. At most CAPTURE_RING bytes wait in
 * the kernel. Only this call needs CAP_NET_RAW. NULL with *e filled.
 */
#define CAPTURE_RING (32u << 20)
/* how long the kernel may wait for further frames before it hands frames on */
#define CAPTURE_BLOCK_MS 100
struct capture *capture_live(const char *device, enum lang lang, struct err *e);
/* Waits until a frame or a signal comes, or these milliseconds have passed. */
void capture_wait(struct capture *c, int milliseconds);
/* Number of frames of an interface that were lost for lack of room since it was opened. Has to be
 * called at least once per 2^32 lost frames. */
uint64_t capture_lost(struct capture *c);
void capture_close(struct capture *c); /* accepts NULL */
/* On CAPTURE_DAMAGED *e is filled, and nothing more can be read. At the end, ret->number is the
 * number of the last frame. */
enum capture_step capture_next(struct capture *c, struct capture_frame *ret, struct err *e);
/* The number of frames with an unsupported link layer. If there are any, *ret_what names that
 * layer. */
uint32_t capture_unread(const struct capture *c, char *ret_what, size_t size);

/*
 * Link-layer headers of captures: from a captured frame to the IP packet in it. For replay only;
 * live packets come from the kernel without them. Pure: the result borrows the frame's bytes.
 */

enum link_kind {
	LINK_UNKNOWN = 0,
	LINK_ETHERNET, /* with 802.1Q and QinQ tags, and LLC/SNAP */
	LINK_COOKED,   /* Linux "any" device, version 1 */
	LINK_COOKED2,  /* version 2 */
	LINK_RAW,      /* the IP header comes first */
	/* BSD loopback: four bytes of address family in the capturing machine's order */
	LINK_NULL,
};

/* True when the frame carries IPv4 or IPv6; *ret_ip then starts at the IP header and may end
 * in padding. */
bool link_strip(enum link_kind kind, struct bytes frame, struct bytes *ret_ip);

#endif
