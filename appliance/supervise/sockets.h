/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that a role gets at its start. */
#ifndef SEKISHO_SUPERVISE_SOCKETS_H
#define SEKISHO_SUPERVISE_SOCKETS_H

#include <stdint.h>

struct err;
struct slot;
struct supervisor;

/* Descriptors that outlive the roles which use them; -1 = not open. */
struct sockets {
	int listen;    /* the control socket, which the role control accepts from */
	int logins;    /* the socket for logins other than root */
	int orders[2]; /* the same two for orders, accepted here (persons.h) */
	int mgmt;      /* the web side's listening socket */
	int web;       /* control's end of the channel to the web side, until it is sent */
	/* enforce's socket for requests, which owns the table: every enforce gets the same */
	int rules;
	bool rules_kept;   /* the service manager kept `rules` of an earlier daemon */
	int passed;	   /* notifications of connection tracking for the tap; told.c */
	int alarms, names; /* memory of control and of the journal */
	/* generations for the journal wait there, also while there is none */
	int told_in, told_out;
	int neighbours; /* notifications of the neighbour table for the tap */
	int pairs;	/* for gates, of enforce (wire/pairs.h) */
};

/* sockets.c: opens the descriptors that a role gets besides its channel. Returns their number, or
 * negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);

#endif
