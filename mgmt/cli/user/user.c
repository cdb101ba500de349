/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho user ACTION [NAME]`: orders about accounts, given at the machine. All but the list are
 * root's only. The process accounts decides; this file makes the order and prints the answer.
 * Secrets are shown once, and by no later command.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "appliance/base/logins.h"
#include "appliance/wire/duty.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/cli.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/user/user.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/cli/words/render.h"

/* A passphrase from the terminal, typed twice without echo, or one line from a pipe. */

#define PHRASE_MOST 512u

/* Reads byte by byte, so that none of it stays in a library's buffer. False: end of input, or too
 * long. */
static bool read_line(char out[PHRASE_MOST])
{
	size_t n = 0;
	char c = 0;

	while (n < PHRASE_MOST - 1 && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		out[n++] = c;
	out[n] = 0;
	return n > 0 && n < PHRASE_MOST - 1;
}

static bool ask_phrase(const struct cli *c, enum message prompt, char out[PHRASE_MOST])
{
	struct termios seen, unseen;
	bool ok;

	message_print(c->err, c->lang, prompt);
	fflush(c->err);
	if (tcgetattr(STDIN_FILENO, &seen) < 0)
		return false;
	unseen = seen;
	unseen.c_lflag &= ~(tcflag_t)ECHO;
	/* Input from before the question is no answer. */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) < 0)
		return false;
	ok = read_line(out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
	fputc('\n', c->err);
	return ok;
}

/* Reads a passphrase. False: *ret_status is the verb's status; the reason was reported. The caller
 * wipes `out`. */
static bool phrase_read(struct cli *c, char out[PHRASE_MOST], int *ret_status)
{
	char again[PHRASE_MOST];
	bool same;

	if (isatty(STDIN_FILENO) == 0) {
		if (read_line(out))
			return true;
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_NO_PHRASE);
		return false;
	}
	if (!ask_phrase(c, M_USER_ASK, out)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_NO_PHRASE);
		return false;
	}
	same = ask_phrase(c, M_USER_ASK_AGAIN, again) && strcmp(out, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!same)
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_DIFFER);
	return same;
}

static const struct {
	const char *word;
	bool named;
} orders[USER_ORDERS] = {
#define ORDER(id, word, named) [id] = { word, named },
#include "appliance/wire/user_order.def"
};

/* ---- output ---------------------------------------------------------------------------------- */

#define QR_BORDER 4u /* light modules around the code, which readers need */

static bool is_light(const json_t *rows, size_t x, size_t y)
{
	const char *row = y >= QR_BORDER ? json_string_value(json_array_get(rows, y - QR_BORDER)) : NULL;
	size_t n = row != NULL ? strlen(row) : 0;

	return x < QR_BORDER || x - QR_BORDER >= n || row[x - QR_BORDER] != '1';
}

/* Prints two rows as one line of half blocks. Light modules are drawn, white on black where there
 * are colours, so that dark and light screens show the same. */
static void print_qr(const struct cli *c, const json_t *rows)
{
	static const char *const blocks[2][2] = { { " ", "▄" }, { "▀", "█" } };
	size_t side = json_array_size(rows) + (size_t)2 * QR_BORDER;

	for (size_t y = 0; y < side && json_array_size(rows) > 0; y += 2) {
		fputs(c->color ? "  \033[97;40m" : "  ", c->out);
		for (size_t x = 0; x < side; x++)
			fputs(blocks[is_light(rows, x, y)][y + 1 < side && is_light(rows, x, y + 1)], c->out);
		fputs(c->color ? "\033[0m\n" : "\n", c->out);
	}
}

/* Prints the secrets, each on an unwrapped line of its own, because it will be typed or scanned. */
static void print_once(const struct cli *c, const json_t *answer)
{
	const json_t *codes = ja(answer, "recovery"), *totp = json_object_get(answer, "totp");

	if (codes == NULL && totp == NULL && *js(answer, "passphrase") == 0 && *js(answer, "secret") == 0)
		return;
	message_print(c->out, c->lang, M_USER_ONCE);
	if (*js(answer, "passphrase") != 0)
		message_print(c->out, c->lang, M_USER_ONCE_PHRASE, js(answer, "passphrase"));
	if (*js(answer, "secret") != 0)
		message_print(c->out, c->lang, M_USER_ONCE_TOKEN, js(answer, "secret"));
	if (totp != NULL) {
		message_print(c->out, c->lang, M_USER_ONCE_TOTP, js(totp, "secret"), js(totp, "uri"));
		print_qr(c, ja(totp, "qr"));
	}
	if (codes != NULL)
		message_print(c->out, c->lang, M_USER_ONCE_CODES);
	for (size_t i = 0; i < json_array_size(codes); i++)
		fprintf(c->out, "  %s\n", json_string_value(json_array_get(codes, i)));
}

static void print_roles(struct cli *c, const json_t *answer, const json_t *row)
{
	struct table *t = table_new(3, 0);

	json_each(v, ja(answer, "roles")) {
		enum duty d = duty_by_word(js(v, "role"));
		char rights[1024] = "";
		size_t n = 0;

		json_each(r, ja(v, "rights"))
			for (unsigned x = 0; x < RIGHT_COUNT; x++)
				if (strcmp(right_word(x), json_string_value(r)) == 0 && n < sizeof(rights) - 1)
					n += (size_t)snprintf(rights + n, sizeof(rights) - n, "%s%s",
							      n > 0 ? (c->lang == LANG_JA ? "、" : "; ") : "",
							      message_format(right_name((enum right)x), c->lang));
		table_cell(t, js(v, "role"));
		table_cell(t, d < DUTY_COUNT ? message_format(duty_name(d), c->lang) : "");
		table_cell(t, rights);
	}
	table_wrap(t);
	(void)table_end(t, c->out, c->color);
}

static void print_answer(struct cli *c, enum user_order order, json_t *answer)
{
	static const struct answer_row rows[] = {
#include "mgmt/cli/user/user.def"
	};

	(void)json_object_set_new(answer, "order", json_string(orders[order].word));
	answer_print(c, rows, answer);
	print_once(c, answer);
}

/* ---- questions ------------------------------------------------------------------------------- */

static enum user_order order_of(const char *word)
{
	unsigned i = 0;

	while (i < USER_ORDERS && strcmp(orders[i].word, word) != 0)
		i++;
	return (enum user_order)i;
}

static void put(json_t *j, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(j, key, json_text(value));
}

/* Reads the certificate file here and sends three facts about it. */
static bool put_certificate(struct cli *c, json_t *j, const char *path, int *ret_status)
{
	struct certificate_facts f;

	if (path == NULL)
		return true;
	*ret_status = certificate_facts(c, path, &f);
	if (*ret_status != CLI_YES)
		return false;
	put(j, "certificate", f.digest);
	put(j, "public", f.public);
	json_object_set_new(j, "until", json_sprintf("%llu", f.until));
	return true;
}

/* The login's present uid: a later login of the same name is another one. */
static bool put_login(struct cli *c, json_t *j, const char *login, int *ret_status)
{
	uint32_t uid;

	if (login == NULL)
		return true;
	if (!login_of_name(LOGINS_FILE, login, &uid)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_USER_LOGIN_ABSENT, login);
		return false;
	}
	put(j, "login", login);
	json_object_set_new(j, "uid", json_sprintf("%u", uid));
	return true;
}

static json_t *question(struct cli *c, enum user_order order, const struct cli_args *a, int *ret_status)
{
	/* A passphrase is typed and never an argument: arguments are visible in process lists, and
	 * shells store them. */
	bool phrase = (order == USER_ADD || order == USER_PASSWORD) && a->values[OPT_USER_GENERATE] == NULL;
	char typed[PHRASE_MOST] = "";
	json_t *j = json_object();

	if (!put_certificate(c, j, a->values[OPT_USER_CERTIFICATE], ret_status) ||
	    !put_login(c, j, a->values[OPT_USER_LOGIN], ret_status) || (phrase && !phrase_read(c, typed, ret_status))) {
		explicit_bzero(typed, sizeof(typed));
		json_decref(j);
		return NULL;
	}
	put(j, "name", a->n_operands > 1 ? a->operands[1] : NULL);
	put(j, "full_name", a->values[OPT_USER_FULL]);
	put(j, "reason", a->values[OPT_USER_REASON]);
	put(j, "roles", a->values[OPT_USER_ROLE]);
	put(j, "days", a->values[OPT_USER_DAYS]);
	put(j, "from", a->values[OPT_USER_FROM]);
	put(j, "key", a->values[OPT_USER_KEY]);
	put(j, "label", a->values[OPT_USER_LABEL]);
	put(j, "passphrase", phrase ? typed : NULL);
	explicit_bzero(typed, sizeof(typed));
	return j;
}

static int send_order(struct cli *c, enum user_order order, json_t *said, int fd)
{
	char *text = json_dumps(said, JSON_COMPACT);
	struct msg_body m = { MSG_CTL_USER, .ctl_user = { .order = (uint8_t)order, .text = text } };
	struct box_answer answer;
	int status;

	if (text == NULL || strlen(text) > USER_TEXT) {
		free(text);
		return cli_fail(c, CLI_INVALID, M_USER_NONSENSE);
	}
	if (box_request(c, &m, &fd, 1, BOX_WAIT_S, &answer, &status)) {
		if (!box_answer_done(c, &answer, &status))
			print_answer(c, order, answer.json);
		box_answer_free(&answer);
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return status;
}

/* Converts the file to a form that the box checks. */
static int load_leaked(struct cli *c, const char *path)
{
	struct leaked_lines lines;
	json_t *said;
	int fd, status = leaked_file(c, path, &fd, &lines);

	if (status != CLI_YES)
		return status;
	if (!c->json)
		render_line(c, M_LEAKED_READ, lines.taken, lines.passed_over);
	said = json_object();
	status = send_order(c, USER_LEAKED_LOAD, said, fd);
	json_decref(said);
	close(fd);
	return status;
}

int verb_user(struct cli *c, const struct cli_args *a)
{
	enum user_order order = order_of(a->operands[0]);
	int status = CLI_INVALID;
	json_t *said;

	/* A backup's register is restored with the backup. */
	if (order == USER_ORDERS || order == USER_RESTORE || order == USER_RESTORE_TRY)
		return cli_fail(c, CLI_INVALID, M_USER_ACTION, a->operands[0]);
	if (orders[order].named && a->n_operands < 2)
		return cli_fail(c, CLI_INVALID, M_USER_WANTS_NAME, orders[order].word);
	if (order == USER_KEY_REMOVE && a->values[OPT_USER_KEY] == NULL)
		return cli_fail(c, CLI_INVALID, M_USER_WANTS_KEY, a->operands[1]);
	if (order == USER_CERTIFICATE_ADD &&
	    (a->values[OPT_USER_CERTIFICATE] == NULL || a->values[OPT_USER_LABEL] == NULL))
		return cli_fail(c, CLI_INVALID, M_USER_WANTS_CERTIFICATE);
	if (order == USER_CERTIFICATE_REMOVE && a->values[OPT_USER_LABEL] == NULL)
		return cli_fail(c, CLI_INVALID, M_USER_WANTS_LABEL, a->operands[1]);
	if (order == USER_LOGIN_ADD && a->values[OPT_USER_LOGIN] == NULL)
		return cli_fail(c, CLI_INVALID, M_USER_WANTS_LOGIN);
	if (order == USER_LEAKED_LOAD)
		return a->n_operands < 2 ? cli_fail(c, CLI_INVALID, M_LEAKED_WANTS) : load_leaked(c, a->operands[1]);
	said = question(c, order, a, &status);
	if (said == NULL)
		return status;
	status = send_order(c, order, said, -1);
	json_decref(said);
	return status;
}
