/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replay: frames of a capture through link, defragmentation, session tracking, the order of the
 * ends and the inspector, the same code that runs in the workers of the box. Implements the
 * inspector's outside; one run at a time in a program. Results go to the book, and each PDU to a
 * caller's function as it is judged.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_RUN_H
#define SEKISHO_MGMT_CLI_REPLAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "dpi/decode.h"
#include "dpi/inspect/inspect.h"
#include "dpi/protocol.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/replay/capture.h"
#include "policy/space/prove.h"

/*
 * What a replay found out, kept until its end: one entry a flow, and for people one entry for each
 * kind of command. For replay only. Owns its entries; knows nothing of packets or output.
 */

struct book_flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint32_t n; /* which connection of this pair, from 1 */
	enum protocol protocol;
	uint32_t undecided; /* bytes that passed before it was known */
	enum event_verdict verdict;
	enum reason reason;
	uint32_t frame;	 /* from which it was refused, 0 = it was not */
	uint32_t permit; /* permit index + 1; 0 = none */
	bool judged;	 /* verdict and reason were told */
	bool midstream, bad_checksum, same_zone;
	bool unjudged; /* nothing was refused, but not all of it was read */
	uint64_t pdus, denied, observed;
	uint64_t unread; /* bytes that were in the capture and could not be judged */
};

/* Requests of one kind between the same two hosts, and answers that were refused. */
struct book_command {
	struct addr client, server;
	uint16_t server_port;
	uint8_t l4proto;
	enum protocol protocol;
	enum direction dir;
	uint32_t targets[TARGET_MAX], function;
	uint8_t space;
	enum event_verdict verdict;
	enum reason reason;
	uint32_t conduit, line;
	uint32_t file;		  /* of that line; UINT32_MAX = the conduit's */
	uint64_t lowest, highest; /* addresses touched; meaningful unless space is 255 */
	struct limit limit;	  /* of the first one */
	uint32_t first_frame;
	uint64_t count;
};

struct book {
	struct book_flow *flows; /* in the order of their first appearance */
	uint32_t n_flows, flows_room;
	struct book_command *commands;
	uint32_t n_commands, commands_room;
	uint32_t *flow_index, *command_index; /* open addressing; 0 = free, else index + 1 */
	uint32_t flow_slots, command_slots;   /* powers of two */
	bool failed;			      /* memory ran out: what is here is not all */
	uint64_t pdus, denied_pdus, observed_pdus;
};

void book_free(struct book *b); /* its content; a zeroed book is empty */
/* The entry of this connection, made when there is none; NULL when memory is out. Valid until the
 * next call. */
struct book_flow *book_flow(struct book *b, const struct addr *client, uint16_t client_port, const struct addr *server,
			    uint16_t server_port, uint8_t l4proto, uint32_t n);
/* Keeps the gravest verdict: a refusal stays a refusal, with its first reason and frame. */
void book_judge(struct book_flow *f, enum event_verdict v, enum reason r, uint32_t frame);
/* Counts a PDU in its flow and among the commands; what some receiver makes of one, or a shadow
 * says of it, among the commands alone. */
void book_pdu(struct book *b, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);

/*
 * Sessions of a capture, as the box's kernel would track them: who opened a session, and which
 * permit it got when it began. For replay only. The rule IR is asked once per session, by addresses
 * alone. Owns its sessions.
 */

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
	/* met half-way, and known by more than its ports which end is the server */
	bool told;
	bool bad_checksum; /* seen on one of its packets */
	bool same_zone;	   /* both ends in one zone: no box sees it */
	/* its protocol is confirmed and its lane lets go of it: no more inspection */
	bool released;
	bool closed;   /* reset, or finished from both sides */
	bool answered; /* by the server's SYN|ACK */
	bool went_on;  /* an end sent what it only sends behind a SYN|ACK, captured or not */
	bool spoke;    /* one of its packets had payload */
	uint8_t fins;  /* 1 client, 2 server */
	uint32_t syn_seq;
	uint32_t first_frame, refused_frame; /* the latter 0 while it is not refused */
	uint64_t packets;
	uint64_t passed, dropped; /* of the inspected ones */
	/* bytes of payload in packets of which the capture kept only the beginning */
	uint64_t cut;
	enum reason dropped_for; /* the first of them */
	uint32_t older;		 /* the session of these ends before it, UINT32_MAX = none */
	uint32_t hash_next;
};

struct tracker;

/* Which end of a session that was met half-way is the server, by what else is known. */
enum tracker_server { SERVER_UNTOLD, SERVER_SOURCE, SERVER_DESTINATION };
typedef enum tracker_server tracker_ask(void *ctx, const struct decoded *d);

/* `ir` is borrowed, and brought to the moment of each packet. as_captured: sessions met half-way
 * are taken as permitted as if they had begun in the capture.
 * NULL when memory is out. */
struct tracker *tracker_new(struct ir *ir, bool as_captured);
void tracker_free(struct tracker *t);
/* A port that controllers serve at, whose clients often have lower ones: EtherNet/IP's 44818. */
bool tracker_registered(uint16_t port);
/* `ask` is asked before ports are looked at, of UDP too. */
void tracker_asks(struct tracker *t, tracker_ask *ask, void *ctx);
/*
 * The session that a packet belongs to, made when there is none. *ret_index names it for tracker_at
 * and stays valid; pointers do not survive the next call. False when memory is out.
 */
bool tracker_packet(struct tracker *t, const struct decoded *d, uint32_t frame, uint64_t wall_ns, uint32_t *ret_index);
/* The session of exactly this tuple in either direction, for quoted packets; UINT32_MAX when there
 * is none. */
uint32_t tracker_find(const struct tracker *t, const struct decoded *d);
struct session *tracker_at(struct tracker *t, uint32_t index);
uint32_t tracker_count(const struct tracker *t);

/*
 * Reassembly of IP fragments for replay, as the kernel does it before the queue: a worker never
 * sees a fragment.
 *
 * A fragment that lies wholly inside one run of bytes that came in order is ignored, as the kernel
 * does; any other overlap refuses the whole datagram, and whatever else belongs to it, until its
 * time is up. Memory is bounded:
 * DEFRAG_SLOTS datagrams of at most 64 kB; the oldest makes room and is counted as incomplete. Owns
 * its buffers.
 */

#define DEFRAG_SLOTS 256
#define DEFRAG_TIME_NS (30ull * 1000000000u)

struct defrag;

enum defrag_result {
	DEFRAG_WHOLE, /* no fragment: *ret is the packet as given */
	/* the last missing piece: *ret is the datagram, valid until the next call */
	DEFRAG_DONE,
	DEFRAG_WAITING, /* kept, or ignored as a repetition */
	/* overlap, impossible offset or length, or part of a datagram refused before */
	DEFRAG_REFUSED,
};

struct defrag_stats {
	uint64_t fragments;   /* seen */
	uint64_t reassembled; /* datagrams completed */
	uint64_t refused;     /* datagrams refused */
	uint64_t incomplete;  /* datagrams given up: time or room ran out */
};

struct defrag *defrag_new(void); /* owned by the caller; NULL when memory is out */
void defrag_free(struct defrag *d);
/* `ip` starts at an IP header of either family and may end in link padding. A header that makes no
 * sense is DEFRAG_WHOLE: decoding it is somebody else's. */
enum defrag_result defrag_packet(struct defrag *d, struct bytes ip, struct mono now, struct bytes *ret);
/* What still waits is counted as incomplete. */
void defrag_stats(const struct defrag *d, struct defrag_stats *ret);

/*
 * Puts the packets of a capture's TCP sessions into the order of their ends, before anybody judges
 * them. A segment waits for the bytes before it and for those that it acknowledges; nobody will
 * repeat what was not captured, so what does not come within three seconds of the capture, or
 * before its session ends, is given up, and reading goes on behind it. For replay only.
 *
 * Sessions are named by a number (tracker_packet's). Owns copies of what waits. Sequence numbers
 * are compared with wrap-around.
 */

struct order;

/* `hand_on` gets each packet once; `frame` is the one with which its bytes had reached their
 * receiver. NULL: no memory. */
struct order *order_new(void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame), void *ctx);
void order_free(struct order *o);
/* A packet of a session: handed on, now or later. False when it is the copy of one that waits, and
 * goes no further. */
bool order_packet(struct order *o, uint32_t session, const struct decoded *d, enum direction dir, uint32_t frame,
		  uint64_t now_ns);
/* Nothing more of this session will follow: what waits is handed on across its gaps. */
void order_give_up(struct order *o, uint32_t session);
/*
 * `session` has begun with this SYN on the ports of `older`, of which nothing more will follow;
 * unless it is the SYN of that, captured late: then its ends stand where they stood.
 */
void order_go_on_as(struct order *o, uint32_t older, uint32_t session, uint32_t isn);
void order_give_up_all(struct order *o);
/* What has waited long enough. When the next one has, or UINT64_MAX. */
void order_expire(struct order *o, uint64_t now_ns);
uint64_t order_next_due(const struct order *o);

struct replay {
	const struct ir *ir; /* borrowed */
	bool as_captured;
	/* Called for each PDU, in order; `ctx` is the caller's. May be NULL. */
	void (*pdu)(void *ctx, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);
	void *ctx;
	/* results */
	struct book book;
	uint64_t frames, not_ip, truncated, related;
	/* packets that were refused or could not be judged, by reason */
	uint64_t refused[REASON_COUNT];
	struct defrag_stats fragments;
	/* inside */
	struct tracker *tracker;
	struct inspector *inspector;
	struct defrag *defrag;
	struct order *order; /* as captured only */
	uint32_t *waiting;   /* session of each undecided packet, by packet id */
	uint32_t next_id;
	uint32_t frame;	       /* the one at hand */
	uint8_t packet[65535]; /* one whose length had to be filled in */
	uint64_t due_ns;       /* when the inspector wants to be called again */
};

/* Fills *e and returns a negative errno when there is not enough memory. replay_close in
 * both cases. */
int replay_open(struct replay *r, struct ir *ir, bool as_captured, struct err *e);
void replay_frame(struct replay *r, const struct capture_frame *f);
/* The capture is over: every flow has its verdict in the book afterwards. */
void replay_finish(struct replay *r);
void replay_close(struct replay *r);
/* True when some session could not be judged, or not all of it. */
bool replay_unjudged(const struct replay *r);
/* True when the policy would have refused something. */
bool replay_denied(const struct replay *r);

/*
 * A replay's results for programs (lines of JSON, docs/json.md) and for people (tables). Reads the
 * book, changes nothing.
 */

json_t *replay_pdu_json(const struct ir *ir, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			uint32_t frame);
/* {"type":"diagnostic"}: something about the capture itself; frame 0 = none. */
json_t *replay_diagnostic_json(const char *severity, const char *message, uint32_t frame);
/* Flow lines in the order of the flows' beginnings, then the summary. */
void replay_print_json(FILE *to, const struct replay *r);
/* Flows, commands, what was dropped besides, and a closing sentence. False when memory ran out on
 * the way. */
bool replay_print_text(struct cli *c, const struct replay *r, const char *policy, const char *capture);

#endif
