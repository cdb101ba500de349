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
	/* owned; an epoll of the connections that wait for an answer that can be abandoned;
	 * libmicrohttpd does not watch them meanwhile */
	int left_fd;
	const struct secrets *secrets;
	struct event_port *events;
	struct mono now; /* of the present http_run */
	uint32_t last_id;
	struct budget budget;
	struct http_counts counts;
	struct live *live;
	json_t *platform; /* what the box runs on; read before the sandbox */
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
/* By what it is asked: of whom the stream is that hears of it, and whose session covers the
 * connection. False: by nothing of that form. */
bool http_credential(const struct client *k, enum credential *ret_what, uint8_t ret[LOGIN_SECRET]);
/* Whether what it has shown is real was just judged: `real` lets its session cover
 * the connection. */
void http_cover(struct http *h, struct client *k, bool real);
/* Notes the reader from the answer of accounts; handles that answer. */
void http_note_reader(struct client *k, const struct msg *m);
void http_judged(struct http *h, struct client *k, struct msg *m);
/* One of the answers that a report takes. */
void http_report_heard(struct http *h, struct client *k, struct msg *m);
/* Those who wait for a login get what place there is. */
void http_admit(struct http *h);
/* How many questions are on their way, without that of `k`. */
unsigned http_asked(const struct http *h, const struct client *k);
void http_stop_asking(struct http *h, struct client *k);
void http_wake(struct client *k);
bool http_is_change(const struct client *k);
bool http_takes_body(const struct client *k);
bool http_shows_session(const struct client *k);

#endif
