/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay found out, kept until its end: one entry a flow, and for people one entry for each kind of command.
 * For replay only. Owns its entries; knows nothing of packets or output.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_BOOK_H
#define SEKISHO_MGMT_CLI_REPLAY_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "dpi/inspect/inspect.h"

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
/* The entry of this connection, made when there is none; NULL when memory is out. Valid until the next call. */
struct book_flow *book_flow(struct book *b, const struct addr *client, uint16_t client_port, const struct addr *server,
			    uint16_t server_port, uint8_t l4proto, uint32_t n);
/* Keeps the gravest verdict: a refusal stays a refusal, with its first reason and frame. */
void book_judge(struct book_flow *f, enum event_verdict v, enum reason r, uint32_t frame);
/* Counts a PDU in its flow and among the commands; what some receiver makes of one, or a shadow says of it, among the commands alone. */
void book_pdu(struct book *b, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);

#endif
