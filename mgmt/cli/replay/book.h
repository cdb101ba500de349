/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results of a replay: one entry for each flow, and one for each kind of command. Commands
 * are only printed for people. Owns its entries; knows nothing of packets or output.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_BOOK_H
#define SEKISHO_MGMT_CLI_REPLAY_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "dpi/protocol.h"

struct addr;
struct flow_info;

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

#endif
