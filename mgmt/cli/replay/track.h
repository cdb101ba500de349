/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of a capture, as the box's kernel would track them: who opened a session, and which permit it got when it
 * began. For replay only. The rule IR is asked once per session, by addresses alone. Owns its sessions.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_TRACK_H
#define SEKISHO_MGMT_CLI_REPLAY_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "dpi/decode.h"
#include "policy/space/prove.h"

struct session {
	struct addr client, server;
	uint16_t client_port, server_port; /* ICMP: 0 and type << 8 | code of the request */
	uint8_t l4proto;
	uint32_t n;	 /* which session of these endpoints, from 1 */
	uint32_t permit; /* permit index + 1; 0: nothing allows it */
	uint64_t until;	 /* its permit's end, in seconds since 1970; 0 = none */
	uint32_t lane;
	enum reason refused; /* R_NONE, or why the kernel lets nothing of it pass */
	bool midstream;	     /* its start is not in the capture */
	bool told;	     /* met half-way, and known by more than its ports which end is the server */
	bool bad_checksum;   /* seen on one of its packets */
	bool same_zone;	     /* both ends in one zone: no box sees it */
	bool released;	     /* its protocol is confirmed and its lane lets go of it: no more inspection */
	bool closed;	     /* reset, or finished from both sides */
	bool answered;	     /* by the server's SYN|ACK */
	bool went_on;	     /* an end sent what it only sends behind a SYN|ACK, captured or not */
	uint8_t fins;	     /* 1 client, 2 server */
	uint32_t syn_seq;
	uint32_t first_frame, refused_frame; /* the latter 0 while it is not refused */
	uint64_t packets;
	uint64_t passed, dropped; /* of the inspected ones */
	uint64_t cut;		  /* bytes of payload in packets of which the capture kept only the beginning */
	enum reason dropped_for;  /* the first of them */
	uint32_t older;		  /* the session of these ends before it, UINT32_MAX = none */
	uint32_t hash_next;
};

struct tracker;

/* Which end of a session that was met half-way is the server, by what else is known. */
enum tracker_server { SERVER_UNTOLD, SERVER_SOURCE, SERVER_DESTINATION };
typedef enum tracker_server tracker_ask(void *ctx, const struct decoded *d);

/* `ir` is borrowed, and brought to the moment of each packet. as_captured: sessions met half-way are taken as permitted as if they had begun in the capture.
 * NULL when memory is out. */
struct tracker *tracker_new(struct ir *ir, bool as_captured);
void tracker_free(struct tracker *t);
/* A port that controllers serve at, whose clients often have lower ones: EtherNet/IP's 44818. */
bool tracker_registered(uint16_t port);
/* `ask` is asked before ports are looked at, of UDP too. */
void tracker_asks(struct tracker *t, tracker_ask *ask, void *ctx);
/*
 * The session that a packet belongs to, made when there is none. *ret_index names it for tracker_at and stays valid;
 * pointers do not survive the next call. False when memory is out.
 */
bool tracker_packet(struct tracker *t, const struct decoded *d, uint32_t frame, uint64_t wall_ns, uint32_t *ret_index);
/* The session of exactly this tuple in either direction, for quoted packets; UINT32_MAX when there is none. */
uint32_t tracker_find(const struct tracker *t, const struct decoded *d);
struct session *tracker_at(struct tracker *t, uint32_t index);
uint32_t tracker_count(const struct tracker *t);

#endif
