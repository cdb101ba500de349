/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the box over its control socket, one answer. Owns the connection for that time.
 * If there is no answer, it prints the reason in one sentence.
 */
#ifndef SEKISHO_MGMT_CLI_BOX_REQUEST_H
#define SEKISHO_MGMT_CLI_BOX_REQUEST_H

#include "appliance/wire/msg.h"
#include "mgmt/cli/cli.h"

struct box_answer {
	int status;   /* enum cli_status, as the box decided */
	json_t *json; /* an object; owned: box_answer_free */
};

/*
 * Sends the question, and waits for at most `timeout_s` seconds. True when an answer came. False:
 * the reason was printed, and *ret_status is the status for the verb. Descriptors stay
 * the caller's.
 */
bool box_request(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		 struct box_answer *ret, int *ret_status);
/*
 * As box_request, for a question that may take long. Ctrl-C ends the wait: then the waited time,
 * and whether the box goes on with the work, were printed, and *ret_status is CLI_STOPPED.
 */
bool box_request_long(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_status);
/*
 * As box_request, for an answer that is a file: the caller closes *ret_fd, whose contents are not
 * trusted. -1: there is no file, and *ret is the answer, which has to be freed.
 */
bool box_request_file(struct cli *c, const struct msg_body *question, const int *fds, size_t n_fds, unsigned timeout_s,
		      struct box_answer *ret, int *ret_fd, int *ret_status);
/* Whether no process listens at the control socket, so that the daemon does not run. */
bool box_absent(const struct cli *c);
void box_answer_free(struct box_answer *a);
/*
 * Handles what all answers have in common: with --json the object is printed as it came; an "error"
 * in it is printed. True when the verb has nothing more to print and returns *ret_status.
 */
bool box_answer_done(struct cli *c, const struct box_answer *a, int *ret_status);
/* Checks the person and the reason of an order, which are both required. `ret_person` has
 * HOLD_PERSON zero bytes. CLI_YES, or another status after the error was printed. */
int box_order_words(struct cli *c, const char *reason, const char *by, const char **ret_reason, char *ret_person);

#endif
