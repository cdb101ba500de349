/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the box over its control socket, one answer. Owns the connection for that time.
 * If there is no answer, it prints the reason in one sentence.
 */
#ifndef SEKISHO_MGMT_CLI_BOX_REQUEST_H
#define SEKISHO_MGMT_CLI_BOX_REQUEST_H

#include <limits.h>
#include <stdbool.h>

#include "appliance/wire/filter.h"
#include "appliance/wire/msg.h"
#include "mgmt/cli/cli.h"

struct box_answer {
	int status;   /* enum cli_status, as the box decided */
	json_t *json; /* an object; owned: box_answer_free */
};

/*
 * Sends the question, and waits for at most `timeout_s` seconds. True when an answer came;
 * *ret_status is as before. False: the reason was printed, and *ret_status is the status for the
 * verb. Descriptors stay the caller's; those below 0 are left out.
 */
bool box_request(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		 struct box_answer *ret, int *ret_status);
/* As box_request, without descriptors, for BOX_WAIT_S seconds. */
#define BOX_WAIT_S 30u
bool box_ask(struct cli *c, const struct msg_body *question, struct box_answer *ret, int *ret_status);
/* As box_ask, for `timeout_s` seconds; prints nothing, whatever happens. */
bool box_ask_silently(const struct cli *c, const struct msg_body *question, unsigned timeout_s, struct box_answer *ret);
/* As box_ask for the state of the box. */
bool box_status(struct cli *c, struct box_answer *ret, int *ret_status);
/* Prints what only this verb's answer has; the status of the verb. */
typedef int box_print(struct cli *c, const json_t *answer, int status);
/* The order as a message: of root in its own name, of anybody else in his account's. */
struct msg_body box_change(const struct msg_change *c);
/* Asks, and prints the answer: box_answer_done, else `print` (NULL = nothing). The status of the
 * verb. */
int box_tell(struct cli *c, const struct msg_body *question, box_print *print);
/*
 * As box_request, for a question that may take long. If Ctrl-C ends the wait, it prints how long it
 * waited and whether the box goes on with the work, and *ret_status is CLI_STOPPED.
 */
bool box_request_long(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_status);
/*
 * As box_request, for an answer that is a file: the caller closes *ret_fd, whose contents are not
 * trusted. -1: there is no file, and *ret is the answer, which has to be freed.
 */
bool box_request_file(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_fd, int *ret_status);
/* Asks for the texts of generation `number`, 0 = the one in force. As box_request. */
bool box_show(struct cli *c, unsigned long long number, struct box_answer *ret, int *ret_status);
/* Whether no process listens at the control socket, so that the daemon does not run. */
bool box_absent(const struct cli *c);
void box_answer_free(struct box_answer *a);
/*
 * Handles what all answers have in common: with --json the object is printed as it came; an "error"
 * in it is printed. True when the verb has nothing more to print and returns *ret_status.
 */
bool box_answer_done(struct cli *c, const struct box_answer *a, int *ret_status);
/* As box_answer_done, for an error in the journal's own words, which are translated. */
bool box_journal_done(struct cli *c, const struct box_answer *a, int *ret_status);
/* Checks the person and the reason of an order, which are both required. `ret_person` has
 * HOLD_PERSON zero bytes. CLI_YES, or another status after the error was printed. */
int box_order_words(struct cli *c, const char *reason, const char *by, const char **ret_reason, char *ret_person);

/*
 * Reads one page of the journal: at most `most` matching events after the number *after. Sets
 * *after to the number up to which the journal has searched. Returns an array, owned by the caller.
 * *ret_more: there may be more. NULL when the verb ends with *ret_status.
 */
#define EVENTS_PAGE 1000u
json_t *events_page(struct cli *c, const struct event_filter *f, unsigned long long *after, unsigned most,
		    bool *ret_more, int *ret_status);

/* "--since": the events of the journal from a moment on. */

/*
 * Returns every event from `since` on whose kind is `kind` (NULL = any), oldest first, as an array,
 * owned by the caller. NULL: the reason was printed, and the verb has to end with *ret_status.
 */
json_t *events_since(struct cli *c, const char *since, const char *kind, int *ret_status);
/* As events_since, without keeping the events: `each` is called for every event of any kind. False
 * when the verb ends with *ret_status. */
bool events_each(struct cli *c, const char *since, void (*each)(void *ctx, const json_t *event), void *ctx,
		 int *ret_status);
/* Gets the oldest event that the journal still has, owned by the caller; *ret is NULL when there is
 * none. False as above. */
bool events_oldest(struct cli *c, json_t **ret, int *ret_status);

/*
 * `status` and `effective` when no daemon runs: sekishod is started for one answer, and reads the
 * kernel and the state folder. Only for root, and only if no process listens at the control socket.
 * A daemon that does not answer is a different case.
 */

/* Whether no process listens at the control socket, and the caller is root. */
bool alone_wanted(const struct cli *c);
/* As box_request; `question` is "status" or "effective". */
bool alone_request(struct cli *c, const char *question, struct box_answer *ret, int *ret_status);
/* Prints the first lines: which rules are in the kernel. */
void alone_headline(struct cli *c, const json_t *answer);

/* Finds a program of the product: in the folder of this program, or in the folder sbin beside that
 * one. False: in neither. */
bool program_path(const char *name, char ret[PATH_MAX]);
/* sekishod, for questions without a daemon. */
bool daemon_path(char ret[PATH_MAX]);

#endif
