/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the EtherNet/IP enforcer remembers of a flow: its session, the connections that were opened
 * through it, and requests that wait for their answers as in dpi/pending.h. Part of the EtherNet/IP
 * enforcer, used by nobody else.
 */
#ifndef SEKISHO_DPI_ENIP_STATE_H
#define SEKISHO_DPI_ENIP_STATE_H

#include "dpi/enip/cip.h"
#include "dpi/enip/enip.h"
#include "dpi/judge.h"
#include "dpi/pending.h"

/* Made by `parse`, taken by `asked`, and kept in the open request. */
struct enip_asked {
	uint64_t context;
	struct cip_asked cip;
	uint32_t connection; /* connection id of a connected message */
	uint16_t command;
	uint16_t sequence;
};

struct enip_open {
	struct pending_entry wait;
	uint32_t service;
	struct enip_asked what;
	uint64_t address; /* first address of the request, for the record of its answer */
	uint32_t quantity;
	uint32_t route;
	uint8_t space;
	/* the parts of a Multiple Service Packet: index in `parts`, and how many are known, from
	 * the first one on */
	uint8_t parts_at, n_parts;
};

struct enip_connection {
	/* connection ids: from originator to target, chosen by the target; from target
	 * to originator */
	uint32_t out, in;
	struct enip_opener opener;
	uint32_t route;
	uint8_t transport; /* enum enip_transport; TRANSPORT_IO has a list of its own */
	bool far;
};

#define ENIP_PARTS_KEPT 96u /* parts of all waiting Multiple Service Packets together */
/* bytes of a header that may be in the preceding segment; a whole header is one byte longer */
#define ENIP_TAIL 23u

enum enip_session { SESSION_NONE, SESSION_ASKED, SESSION_OPEN, SESSION_UNSEEN };

struct enip_state {
	struct pending wait;
	/* enum enip_session; SESSION_UNSEEN: its beginning may have been missed */
	uint8_t session;
	uint8_t lenient; /* LENIENT_*, as of the client's last bytes */
	bool datagrams;	 /* over UDP, which has no sessions: only the List commands */
	bool missed;	 /* bytes were missed, so connections may have been opened unseen */
	bool cut;	 /* a request came in pieces: a server may have lost its place */
	bool idled;	 /* the client has sent a NOP */
	/* since the NOP: the last bytes of the latest whole message are kept in `tail` */
	bool has_tail;
	uint8_t tail[ENIP_TAIL];
	uint32_t tail_end; /* stream offset after the kept bytes */
	uint32_t handle;
	uint32_t n_connections;
	struct enip_connection connections[ENIP_CONNECTIONS_MAX];
	uint32_t n_io;
	/* the originators of I/O connections, to check a Forward Close; companion.h checks the
	 * I/O data */
	struct enip_opener io[ENIP_IO_MAX];
	uint32_t n_parts;
	/* in this array and the following ones, only entries in use have a meaning */
	struct enip_open open[ENIP_OPEN_MAX];
	/* struct cip_asked.elements of each part, in the order of the requests */
	uint16_t parts[ENIP_PARTS_KEPT];
};

/* The connection with this id from originator to target; NULL when there is none. */
const struct enip_connection *enip_connection_out(const struct enip_state *s, uint32_t number);
const struct enip_connection *enip_connection_of(const struct enip_state *s, const struct enip_opener *opener);
bool enip_has_io(const struct enip_state *s, const struct enip_opener *opener);
bool enip_same_opener(const struct enip_opener *a, const struct enip_opener *b);
/* Digest of the originator of a connection. */
uint64_t enip_opener_key(const struct enip_opener *opener);
/* The enforcer's `frame` and `answered`, see dpi/protocol.h. */
enum frame_result enip_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
void enip_answered(void *state, struct bytes pdu, const struct command_table *t, const struct command_permit *p,
		   struct pdu *ret);
/* The enforcer's `once`, `keep`, `again`, `segment` and `repeat`. */
bool enip_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool enip_keep(const void *state, struct outbuf *to);
bool enip_again(void *state, struct bytes kept);
bool enip_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret);
bool enip_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct command_table *t, const struct command_permit *p, struct pdu *ret);

#endif
