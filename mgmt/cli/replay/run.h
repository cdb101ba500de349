/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a capture: its frames pass through link layer, defragmentation, session tracking,
 * ordering and the inspector, which is the same code as in the workers of the box. Implements the
 * functions that the inspector needs from its program; a program can do one replay at a time. The
 * results are in the book, and the caller's function gets each judged PDU.
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
 * The results of a replay: one entry for each flow, and one for each kind of command. Commands are
 * only printed for people. For replay only. Owns its entries; knows nothing of packets or output.
 */

struct book_flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint32_t n; /* number of the connection between these ends, from 1 */
	enum protocol protocol;
	uint32_t undecided; /* bytes that passed before the protocol was known */
	enum event_verdict verdict;
	enum reason reason;
	uint32_t frame;	 /* the frame from which on the flow was refused; 0 = it was not refused */
	uint32_t permit; /* permit index + 1; 0 = none */
	bool judged;	 /* the inspector has reported verdict and reason */
	bool midstream, bad_checksum, same_zone;
	bool unjudged; /* nothing was refused, but some bytes were not read */
	uint64_t pdus, denied, observed;
	uint64_t unread; /* bytes in the capture that could not be judged */
};

/* Requests of one kind between two hosts, or refused answers. */
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
	/* file index of that line; UINT32_MAX: it is the conduit's own line */
	uint32_t file;
	uint64_t lowest, highest; /* touched addresses; only valid unless space is 255 */
	struct limit limit;	  /* the limit that the first one exceeded */
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
	bool failed;			      /* memory ran out, so the results are incomplete */
	uint64_t pdus, denied_pdus, observed_pdus;
};

void book_free(struct book *b); /* frees its contents; a zeroed book is empty */
/* Finds or makes the entry of this connection; NULL when memory is out. Valid until the next
 * call. */
struct book_flow *book_flow(struct book *b, const struct addr *client, uint16_t client_port, const struct addr *server,
			    uint16_t server_port, uint8_t l4proto, uint32_t n);
/* Keeps the most serious verdict: a refusal stays a refusal, with its first reason and frame. */
void book_judge(struct book_flow *f, enum event_verdict v, enum reason r, uint32_t frame);
/* Counts a PDU for its flow and among the commands. Second reports on the same bytes (other
 * readings, shadows) only count among the commands. */
void book_pdu(struct book *b, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);

/*
 * Tracks the sessions of a capture as the box's kernel does: who opened a session, and which permit
 * it got at its beginning. For replay only. The rule IR is asked once for each session, by
 * addresses alone. Owns its sessions.
 */

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

/*
 * Reassembles IP fragments for replay, as the kernel does before the queue: a worker never sees a
 * fragment.
 *
 * A fragment that lies completely inside one run of bytes that came in order is ignored, as by the
 * kernel. Any other overlap refuses the whole datagram, and all its later fragments until its time
 * is over. Memory is bounded: at most DEFRAG_SLOTS datagrams of at most 64 kB. When all slots are
 * in use, the oldest datagram is dropped and counted as incomplete. Owns its buffers.
 */

#define DEFRAG_SLOTS 256
#define DEFRAG_TIME_NS (30ull * 1000000000u)

struct defrag;

enum defrag_result {
	DEFRAG_WHOLE, /* no fragment: *ret is the packet as given */
	/* the last missing fragment: *ret is the whole datagram, valid until the next call */
	DEFRAG_DONE,
	DEFRAG_WAITING, /* kept, or ignored as a repetition */
	/* overlap, impossible offset or length, or a fragment of a datagram that was refused
	 * before */
	DEFRAG_REFUSED,
};

struct defrag_stats {
	uint64_t fragments;   /* seen */
	uint64_t reassembled; /* datagrams completed */
	uint64_t refused;     /* datagrams refused */
	uint64_t incomplete;  /* datagrams that were dropped, because time or room ran out */
};

struct defrag *defrag_new(void); /* owned by the caller; NULL when memory is out */
void defrag_free(struct defrag *d);
/* `ip` starts at an IP header of either family, and may end in link padding. An invalid header
 * gives DEFRAG_WHOLE, because decoding comes later. */
enum defrag_result defrag_packet(struct defrag *d, struct bytes ip, struct mono now, struct bytes *ret);
/* Datagrams that still wait are counted as incomplete. */
void defrag_stats(const struct defrag *d, struct defrag_stats *ret);

/*
 * Puts the packets of a capture's TCP sessions into the order in which the ends processed them,
 * before they are judged. A segment waits for the bytes before it, and for the bytes that it
 * acknowledges. Bytes that were not captured will never come, so a segment waits for at most three
 * seconds of the capture's time, or until its session ends; then processing continues after the
 * gap. For replay only.
 *
 * Sessions are identified by the index of tracker_packet. Owns copies of the waiting packets.
 * Sequence numbers are compared with wrap-around.
 */

struct order;

/* `hand_on` gets each packet once. `frame`: the number of the frame with which the packet's bytes
 * could be read by their receiver. NULL: no memory. */
struct order *order_new(void (*hand_on)(void *ctx, uint32_t session, struct bytes ip, uint32_t frame), void *ctx);
void order_free(struct order *o);
/* Takes a packet of a session, and hands it on now or later. False when it is a copy of a waiting
 * packet, and is dropped. */
bool order_packet(struct order *o, uint32_t session, const struct decoded *d, enum direction dir, uint32_t frame,
		  uint64_t now_ns);
/* To be called when the session has no further packets: hands on its waiting packets, even after
 * gaps. */
void order_give_up(struct order *o, uint32_t session);
/*
 * To be called when `session` begins with this SYN on the ports of `older`, which has no further
 * packets. If this SYN began `older` itself and was only captured late, the positions of both ends
 * are kept.
 */
void order_go_on_as(struct order *o, uint32_t older, uint32_t session, uint32_t isn);
void order_give_up_all(struct order *o);
/* Hands on packets that have waited long enough. order_next_due: the time at which the next packet
 * will have waited long enough; UINT64_MAX = no packet waits. */
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
	/* the members below are for the files of this header only */
	struct tracker *tracker;
	struct inspector *inspector;
	struct defrag *defrag;
	struct order *order; /* used only with as_captured */
	uint32_t *waiting;   /* by packet id: the session of each packet that is not decided yet */
	uint32_t next_id;
	struct flow_info judged; /* the flow of the last PDU */
	bool again;		 /* the inspector wants the packet as one of its session's twin */
	bool told;		 /* ... because the other end subscribed to it */
	uint32_t frame;		 /* number of the present frame */
	uint8_t packet[65535];	 /* the present packet, if its length had to be filled in */
	uint64_t due_ns;	 /* when the inspector wants to be called again */
};

/* Fills *e and returns a negative errno without memory. replay_close has to be called in both
 * cases. */
int replay_open(struct replay *r, struct ir *ir, bool as_captured, struct err *e);
void replay_frame(struct replay *r, const struct capture_frame *f);
/* The capture is over. Afterwards every flow has its verdict in the book. */
void replay_finish(struct replay *r);
void replay_close(struct replay *r);
/* Whether some session could not be judged completely. */
bool replay_unjudged(const struct replay *r);
/* Whether the policy would have refused something. */
bool replay_denied(const struct replay *r);

/*
 * Prints a replay's results: for programs as lines of JSON (docs/json.md), for people as tables.
 * Reads the book, changes nothing.
 */

json_t *replay_pdu_json(const struct ir *ir, const struct flow_info *f, const struct pdu *p, enum event_verdict v,
			uint32_t frame);
/* {"type":"diagnostic"}: a message about the capture itself; frame 0 = about no frame. */
json_t *replay_diagnostic_json(const char *severity, const char *message, uint32_t frame);
/* Prints the flows in the order of their beginnings, then the summary. */
void replay_print_json(FILE *to, const struct replay *r);
/* Prints flows, commands, other dropped packets, and a closing sentence. False when memory ran
 * out. */
bool replay_print_text(struct cli *c, const struct replay *r, const char *policy, const char *capture);

/*
 * The clock for replay: the time of the capture while one is read, else the kernel's time. Replaces
 * base/clock.c in `sekisho`, so that the inspector's deadlines and timeouts run as when the packets
 * were captured.
 */

/* Sets the capture's time. When times in a capture run backwards, the clock stands still. */
void replay_clock_set(uint64_t wall_ns);
/* Returns to the kernel's clocks. */
void replay_clock_clear(void);

#endif
