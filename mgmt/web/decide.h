/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files of the server: http.c handles libmicrohttpd and the loop, decide.c handles
 * requests. No one else includes this.
 */
#ifndef SEKISHO_MGMT_WEB_DECIDE_H
#define SEKISHO_MGMT_WEB_DECIDE_H

#include "mgmt/web/budget.h"
#include "mgmt/web/certificate.h"
#include "mgmt/web/client.h"
#include "mgmt/web/http.h"
#include "mgmt/web/live.h"

#define S_NS 1000000000u

struct http {
	struct MHD_Daemon *daemon;
	struct certificate *certificate;
	int control_fd;
	/* owned; an epoll set of connections that wait for an answer and may leave; libmicrohttpd
	 * does not watch these meanwhile */
	int left_fd;
	const struct secrets *secrets;
	struct event_port *events;
	struct mono now; /* time of the present http_run */
	uint32_t last_id;
	struct budget budget;
	struct http_counts counts;
	struct live *live;
	json_t *platform; /* facts about the operating system, read before the sandbox */
	struct client clients[HTTP_CONNECTIONS];
};

/* Writes the records of refused clients that are due. */
void http_record_due(struct http *h);
/* Called when the whole request is here: answers it, or asks the role that has to answer. */
enum MHD_Result http_decide(struct http *h, struct client *k, const char *method);
enum MHD_Result http_answer_now(struct http *h, struct client *k);
/* Before a large body is read, its sender has to be identified. */
enum MHD_Result http_ask_whose_body(struct http *h, struct client *k);
void http_sender_judged(struct client *k, int status);
/* The credential was judged: `real` lets its session cover the connection. */
void http_cover(struct http *h, struct client *k, bool real);
/* Handles the answer of accounts, whether the client may have what it wants. */
void http_judged(struct http *h, struct client *k, struct msg *m);
/* Handles one of the answers for a report. */
void http_report_heard(struct http *h, struct client *k, struct msg *m);
/* Lets waiting logins begin, as far as there are places. */
void http_admit(struct http *h);
/* The number of questions in progress, without that of `k`. */
unsigned http_asked(const struct http *h, const struct client *k);
void http_stop_asking(struct http *h, struct client *k);
void http_wake(struct client *k);

#endif
