/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the EtherNet/IP enforcer remembers of a flow: its session, the connections that were opened through it, and requests that
 * wait for their answers, as dpi/pending.h has it. Part of the EtherNet/IP enforcer, used by nobody else.
 */
#ifndef SEKISHO_DPI_ENIP_STATE_H
#define SEKISHO_DPI_ENIP_STATE_H

#include "dpi/enip/cip.h"
#include "dpi/enip/enip.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

/* From `parse` to `asked`, and on in an open request. */
struct enip_asked {
	uint64_t context;
	struct cip_asked cip;
	uint32_t connection; /* of a connected message */
	uint16_t command;
	uint16_t sequence;
};

struct enip_open {
	struct pending_entry wait;
	uint32_t service;
	struct enip_asked what;
	uint64_t address; /* what it was about, for its answer's record */
	uint32_t quantity;
	uint32_t route;
	uint8_t space;
	uint8_t parts_at, n_parts; /* what is known of the parts of a Multiple Service Packet, from the first on */
};

struct enip_connection {
	uint32_t out, in; /* numbers: originator to target, which the target said; target to originator */
	struct enip_opener opener;
	uint32_t route;
	uint8_t transport; /* enum enip_transport; TRANSPORT_IO has a list of its own */
	bool far;
};

#define ENIP_PARTS_KEPT 96u /* of all Multiple Service Packets that wait */
#define ENIP_TAIL 23u	    /* bytes of a header that may lie in the segment before; a message is longer */

enum enip_session { SESSION_NONE, SESSION_ASKED, SESSION_OPEN, SESSION_UNSEEN };

struct enip_state {
	struct pending wait;
	uint8_t session; /* enum enip_session; unseen: there may be one from before */
	uint8_t lenient; /* LENIENT_*, as of the client's last bytes */
	bool datagrams;	 /* over UDP, where there are no sessions: only what lists */
	bool missed;	 /* connections may have been opened unseen */
	bool cut;	 /* a request came in pieces: a server may have lost its place */
	bool idled;	 /* the client has sent a NOP */
	bool has_tail;	 /* since then: the end of the last message that came whole is kept */
	uint8_t tail[ENIP_TAIL];
	uint32_t tail_end; /* offset behind it */
	uint32_t handle;
	uint32_t n_connections;
	struct enip_connection connections[ENIP_CONNECTIONS_MAX];
	uint32_t n_io;
	struct enip_opener io[ENIP_IO_MAX]; /* who opened I/O: closing asks; companions know of their data */
	uint32_t n_parts;
	struct enip_open
		open[ENIP_OPEN_MAX];	 /* of these and of what follows only so many as are in use mean something */
	uint16_t parts[ENIP_PARTS_KEPT]; /* struct cip_asked.elements of each part, in the order of the requests */
};

/* The connection by which the originator sends; NULL. */
const struct enip_connection *enip_connection_out(const struct enip_state *s, uint32_t number);
const struct enip_connection *enip_connection_of(const struct enip_state *s, const struct enip_opener *opener);
bool enip_has_io(const struct enip_state *s, const struct enip_opener *opener);
bool enip_same_opener(const struct enip_opener *a, const struct enip_opener *b);
/* One number for who opened a connection. */
uint64_t enip_opener_key(const struct enip_opener *opener);
/* The enforcer's `frame` and `answered`, see dpi/protocol.h. */
enum frame_result enip_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
void enip_answered(void *state, struct bytes pdu, const struct command_table *t, const struct command_permit *p,
		   struct pdu *ret);
/* The enforcer's `segment` and `repeat`. */
bool enip_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool enip_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct command_table *t, const struct command_permit *p, struct pdu *ret);
/* The requests that wait. */
struct pending_list enip_open_of(struct enip_state *s);

#endif
