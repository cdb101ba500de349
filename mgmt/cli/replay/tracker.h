/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tracks the sessions of a capture as the box's kernel does: who opened a session, and which
 * permit it got at its beginning. The rule IR is asked once for each session, by addresses alone.
 * Owns its sessions.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_TRACKER_H
#define SEKISHO_MGMT_CLI_REPLAY_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "dpi/decode.h"

struct ir;
struct tracker;

struct session {
	struct addr client, server;
	uint16_t client_port, server_port; /* ICMP: 0 and type << 8 | code of the request */
	uint8_t l4proto;
	uint32_t n;	 /* number of the session between these ends, from 1 */
	uint32_t permit; /* permit index + 1; 0: nothing allows it */
	uint64_t until;	 /* its permit's end, in seconds since 1970; 0 = none */
	uint64_t asked;	 /* the state of the policy that it was asked in (at_s of struct ir) */
	uint32_t lane;
	/* what the mark names of the permit and lane by which the other end may have subscribed;
	 * 0: a cell admits the session, or nothing does (policy/ir/skeleton/lasting.c) */
	uint32_t notice;
	/* nothing allows the session any more, but its twin (policy/ir/skeleton/twin.c): the mark
	 * of that one */
	uint32_t twin;
	enum reason refused; /* R_NONE, or the reason why the kernel lets no packet of it pass */
	bool midstream;	     /* its beginning is not in the capture */
	/* its beginning is missing, but something other than the ports shows which end is the
	 * server */
	bool told;
	bool bad_checksum; /* at least one of its packets has a bad checksum */
	bool same_zone;	   /* both ends are in one zone, so no box sees this session */
	/* it is not inspected further: its protocol is confirmed, and its lane (the kind of
	 * inspection that its permit needs) requires no more */
	bool released;
	bool closed;   /* reset, or finished by both ends */
	bool answered; /* the server has sent its SYN|ACK */
	/* an end sent something that is only sent after a SYN|ACK, even if none was captured */
	bool went_on;
	bool spoke;   /* at least one packet had payload */
	uint8_t fins; /* which ends have sent a FIN: 1 client, 2 server */
	uint32_t syn_seq;
	uint32_t first_frame, refused_frame; /* refused_frame: 0 = the session was not refused */
	uint64_t packets;
	uint64_t passed, dropped; /* numbers of inspected packets */
	/* payload bytes that the capture cut off */
	uint64_t cut;
	enum reason dropped_for; /* reason of the first dropped packet */
	/* UDP: when it began, when its last packet came, and for how long it may then be silent */
	uint64_t began_ns, last_ns, silence_ns;
	uint32_t older; /* the earlier session between these ends; UINT32_MAX = none */
	uint32_t hash_next;
};

struct tracker;

/* For a session whose beginning is not in the capture: tells which end is the server, if the caller
 * knows more than the ports show. */
enum tracker_server { SERVER_UNTOLD, SERVER_SOURCE, SERVER_DESTINATION };
typedef enum tracker_server tracker_ask(void *ctx, const struct decoded *d);

/* `ir` is borrowed; what is open in it is updated to the time of each packet (ir_follow).
 * as_captured: sessions that began before the capture are taken as permitted, as if they had begun
 * in it. NULL when memory is out. */
struct tracker *tracker_new(struct ir *ir, bool as_captured);
void tracker_free(struct tracker *t);
/* Whether controllers serve at this port, for example at 44818 of EtherNet/IP. Such a port is the
 * server's even if the client's port is lower. */
bool tracker_registered(uint16_t port);
/* Sets the function that is asked before ports are compared, also for UDP. */
void tracker_asks(struct tracker *t, tracker_ask *ask, void *ctx);
/*
 * Finds or makes the session of a packet. *ret_index identifies it for tracker_at, and stays valid;
 * pointers are only valid until the next call. False when memory is out.
 */
bool tracker_packet(struct tracker *t, const struct decoded *d, uint32_t frame, uint64_t wall_ns, uint32_t *ret_index);
/* The mark of a packet of this session's twin, which the server would have opened; 0: nothing
 * allows the twin now. */
uint32_t tracker_twin(const struct tracker *t, const struct session *s);
/* The mark of a datagram of this session's client to which its server subscribed; 0: no permit
 * allows that. */
uint32_t tracker_notice(const struct tracker *t, const struct session *s);
/* The session with exactly this tuple in either direction, for packets that are quoted in errors;
 * UINT32_MAX when there is none. */
uint32_t tracker_find(const struct tracker *t, const struct decoded *d);
struct session *tracker_at(struct tracker *t, uint32_t index);
uint32_t tracker_count(const struct tracker *t);

#endif
