/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-fetch: copies one file from the update server of box.cfg to standard output. An
 * administrator starts it as root in the first namespace. It connects in the admin namespace, whose
 * rules allow that server only, and becomes a user without rights before it reads the first byte.
 * It stores and checks nothing: the receiver verifies the file.
 *
 * With --put it sends standard input to the backup server of box.cfg instead, in the same way
 * (mgmt/cli/backup/carry.c starts it).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/box/netns.h"
#include "appliance/fetch/fetch.h"
#include "appliance/role/sandbox.h"
#include "appliance/wire/plain.h"

#define SETTINGS "/run/sekisho/update.conf"
#define PUT_SETTINGS "/run/sekisho/backup.conf"
#define PASSWORD "/etc/sekisho/backup-password"
#define PASSWORD_MOST 128u
#define CA_MOST (1u << 20) /* bytes; as AUTHORITY_MOST (box/companions.h) */
#define PATH_MOST 200u	   /* bytes of the requested path */
#define SECOND_NS 1000000000u
#define HEAD_NS (30 * (uint64_t)SECOND_NS) /* ns until the header of the answer must be complete */
#define WINDOW_NS (60 * (uint64_t)SECOND_NS)
/* Least bytes in each window. With fewer the transfer ends, because a slow server could otherwise
 * occupy a console for ever. */
#define WINDOW_LEAST (256u << 10)
#define SECONDS_MOST 86400u

struct fetch {
	const char *path; /* on the server; of a sent file, its name in the server's folder */
	bool puts;
	/* "user:password" in base64, or "" */
	char secret[4 * (PASSWORD_MOST + PLAIN_WORD_MAX + 4) / 3 + 4];
	uint64_t most; /* bytes */
	struct mono until;
	bool shows; /* print the progress on a terminal */
	uint64_t length, got;
	struct mono window, shown;
	uint64_t window_got;
};

static uint8_t buffer[64u << 10];

static struct mono time_after(uint64_t ns)
{
	return (struct mono){ clock_mono().ns + ns };
}

static struct mono sooner_of(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

/* ---- before the sandbox ---------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && *text >= '1' && *text <= '9' && *end == '\0' && *ret <= most;
}

/* Whether the path is safe in a request: no character that could end a line, and no "..". */
static bool plain_path_text(const char *path)
{
	return path[0] == '/' && strlen(path) <= PATH_MOST && strstr(path, "..") == NULL &&
	       strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./+~_-") == strlen(path);
}

/* Starts to connect a socket of the admin namespace to the server; negative errno. */
static int dial_server(const struct fetch_settings *s, struct err *e)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
	bool six = s->address.family == 6;
	int ns = netns_find(s->netns, e), r = ns < 0 ? ns : netns_enter(ns, e), fd;

	if (ns >= 0)
		close(ns);
	if (r < 0)
		return r;
	memcpy(&in4.sin_addr, s->address.b, sizeof(in4.sin_addr));
	memcpy(&in6.sin6_addr, s->address.b, sizeof(in6.sin6_addr));
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, -errno, "a socket");
	r = connect(fd, six ? (const struct sockaddr *)&in6 : (const struct sockaddr *)&in4,
		    six ? (socklen_t)sizeof(in6) : (socklen_t)sizeof(in4));
	if (r < 0 && errno != EINPROGRESS) {
		close(fd);
		return err_set(e, -ENOTCONN, "no connection");
	}
	return fd;
}

/* RFC 4648, 4 */
static void base64_text(const char *text, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t x = (uint32_t)(uint8_t)text[i] << 16;

		x |= i + 1 < n ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
		x |= i + 2 < n ? (uint8_t)text[i + 2] : 0;
		*out++ = digits[x >> 18];
		*out++ = digits[x >> 12 & 63];
		*out++ = digits[x >> 6 & 63];
		*out++ = digits[x & 63];
		if (i + 1 >= n)
			out[-2] = '=';
		if (i + 2 >= n)
			out[-1] = '=';
	}
	*out = '\0';
}

/* The first line of the file with the password, as Basic authentication wants it (RFC 7617). */
static enum fetch_end sign_in(struct fetch *f, const char *user, const char *name, struct err *e)
{
	char text[PASSWORD_MOST + PLAIN_WORD_MAX + 2];
	uint8_t *p = NULL;
	size_t n = 0, line;
	int r = file_read(AT_FDCWD, name, PASSWORD_MOST, &p, &n, e);

	if (r == -ENOENT)
		return FETCH_PASSWORD;
	if (r < 0) {
		fprintf(stderr, "sekisho-fetch: %s\n", e->text);
		return FETCH_PASSWORD;
	}
	for (line = 0; line < n && p[line] != '\r' && p[line] != '\n';)
		line++;
	n = (size_t)snprintf(text, sizeof(text), "%s:%.*s", user, (int)line, (const char *)p);
	base64_text(text, n, f->secret);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(p, line);
	free(p);
	return line > 0 ? FETCH_DONE : FETCH_PASSWORD;
}

/* ---- inside ---------------------------------------------------------------------------------- */

static enum fetch_end ask_for_file(const struct fetch *f, struct fetch_tls *t, const struct fetch_settings *s,
				   struct mono until)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: sekisho-fetch\r\nAccept-Encoding: identity\r\n"
			 "Connection: close\r\n\r\n",
			 f->path, s->name, (unsigned)s->port);

	return fetch_tls_send(t, text, (size_t)n, until);
}

/* Whether the receiver has deleted the file that is being written. A receiver that died could not
 * stop this process, which would then fill a disk unseen. */
static bool nobody_waits(void)
{
	struct stat st;

	return fstat(STDOUT_FILENO, &st) < 0 || (S_ISREG(st.st_mode) && st.st_nlink == 0);
}

static enum fetch_end keep_bytes(struct fetch *f, const uint8_t *p, size_t n)
{
	if (n > f->length - f->got)
		/* bytes after the end of the file are ignored */
		n = (size_t)(f->length - f->got);
	if (nobody_waits())
		return FETCH_WRITE;
	for (size_t done = 0; done < n;) {
		ssize_t r = write(STDOUT_FILENO, p + done, n - done);

		if (r < 0 && errno != EINTR)
			return FETCH_WRITE;
		done += r > 0 ? (size_t)r : 0;
	}
	f->got += n;
	return FETCH_DONE;
}

static void show_progress(struct fetch *f, bool last)
{
	struct mono now = clock_mono();

	if (!f->shows || (!last && now.ns - f->shown.ns < SECOND_NS))
		return;
	f->shown = now;
	fprintf(stderr, "\r%" PRIu64 " / %" PRIu64 " MiB%s", f->got >> 20, f->length >> 20, last ? "\n" : "");
}

/* False: the window is over, and too few bytes came in it. If enough came, the next window
 * begins. */
static bool goes_on(struct fetch *f)
{
	if (clock_mono().ns < f->window.ns)
		return true;
	if (f->got - f->window_got < WINDOW_LEAST)
		return false;
	f->window = time_after(WINDOW_NS);
	f->window_got = f->got;
	return true;
}

static enum fetch_end read_head(struct fetch *f, struct fetch_tls *t, struct mono until)
{
	size_t have = 0, n, n_head;
	enum fetch_end r;

	do {
		r = fetch_tls_recv(t, buffer + have, FETCH_HEAD_MOST - have, &n, until);
		have += n;
		if (r == FETCH_DONE)
			r = fetch_head(bytes_of(buffer, have), &n_head, &f->length);
	} while (r == FETCH_MORE);
	if (r != FETCH_DONE)
		return r;
	if (f->length > f->most)
		return FETCH_LARGE;
	return keep_bytes(f, buffer + n_head, have - n_head);
}

static enum fetch_end body(struct fetch *f, struct fetch_tls *t)
{
	enum fetch_end r = FETCH_DONE;
	size_t n;

	f->window = time_after(WINDOW_NS);
	while (r == FETCH_DONE && f->got < f->length) {
		r = fetch_tls_recv(t, buffer, sizeof(buffer), &n, sooner_of(f->until, f->window));
		if (r == FETCH_SLOW && clock_mono().ns < f->until.ns)
			r = FETCH_DONE; /* only the window has ended, not the whole time */
		if (r == FETCH_DONE)
			r = keep_bytes(f, buffer, n);
		if (r == FETCH_DONE && (clock_mono().ns >= f->until.ns || !goes_on(f)) && f->got < f->length)
			r = FETCH_SLOW;
		show_progress(f, false);
	}
	if (f->got > 0)
		show_progress(f, true);
	return r;
}

/* Sends all of standard input, which has f->most bytes. */
static enum fetch_end send_body(const struct fetch *f, struct fetch_tls *t)
{
	enum fetch_end r = FETCH_DONE;
	uint64_t done = 0;

	while (r == FETCH_DONE && done < f->most) {
		ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || (uint64_t)n > f->most - done)
			return FETCH_BROKEN;
		done += (uint64_t)n;
		r = fetch_tls_send(t, buffer, (size_t)n, f->until);
	}
	return r;
}

static enum fetch_end put_file(struct fetch *f, struct fetch_tls *t, const struct fetch_settings *s)
{
	char text[1024 + sizeof(f->secret)];
	int n = snprintf(text, sizeof(text),
			 "PUT %s/%s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: sekisho-fetch\r\n"
			 "Content-Type: application/octet-stream\r\nContent-Length: %" PRIu64 "\r\n%s%s%s"
			 "Connection: close\r\n\r\n",
			 s->folder, f->path, s->name, (unsigned)s->port, f->most,
			 *f->secret != '\0' ? "Authorization: Basic " : "", f->secret,
			 *f->secret != '\0' ? "\r\n" : "");
	enum fetch_end r = fetch_tls_send(t, text, (size_t)n, f->until), sent;
	size_t have = 0, got = 0;

	explicit_bzero(text, sizeof(text));
	explicit_bzero(f->secret, sizeof(f->secret));
	sent = r == FETCH_DONE ? send_body(f, t) : r;
	if (sent == FETCH_BROKEN)
		return sent;
	/* A server that refuses may answer, and close, before it has read all. */
	do {
		r = fetch_tls_recv(t, buffer + have, FETCH_HEAD_MOST - have, &got, f->until);
		have += got;
		if (r == FETCH_DONE)
			r = fetch_stored(bytes_of(buffer, have));
	} while (r == FETCH_MORE);
	return r == FETCH_CUT && sent != FETCH_DONE ? sent : r == FETCH_DONE && sent != FETCH_DONE ? FETCH_CUT : r;
}

static enum fetch_end run_exchange(struct fetch *f, struct fetch_tls *t, const struct fetch_settings *s)
{
	struct mono until = sooner_of(f->until, time_after(HEAD_NS));
	enum fetch_end r = fetch_tls_connected(t, until);

	if (r == FETCH_DONE)
		r = fetch_tls_begin(t, until);
	if (f->puts)
		return r == FETCH_DONE ? put_file(f, t, s) : r;
	if (r == FETCH_DONE)
		r = ask_for_file(f, t, s, until);
	if (r == FETCH_DONE)
		r = read_head(f, t, until);
	if (r == FETCH_DONE)
		r = body(f, t);
	/* Some file systems report a full disk only here. A pipe cannot be synced, which is no
	 * error. */
	if (r == FETCH_DONE && fsync(STDOUT_FILENO) < 0 && errno != EINVAL && errno != EROFS)
		r = FETCH_WRITE;
	return r;
}

/* ---------------------------------------------------------------------------------------------- */

static enum fetch_end say_broken(const struct err *e)
{
	fprintf(stderr, "sekisho-fetch: %s\n", e->text);
	return FETCH_BROKEN;
}

static enum fetch_end fetch(struct fetch *f, const struct fetch_settings *s, struct err *e)
{
	uint8_t *ca = NULL;
	size_t n_ca = 0;
	struct fetch_tls *t;
	enum fetch_end end;
	int fd, r = file_read(AT_FDCWD, s->ca, CA_MOST, &ca, &n_ca, e);

	if (r < 0)
		return say_broken(e);
	fd = dial_server(s, e);
	if (fd < 0) {
		free(ca);
		return fd == -ENOTCONN ? FETCH_UNREACHED : say_broken(e);
	}
	t = fetch_tls_new(fd, s->name, ca, n_ca, e);
	free(ca);
	end = t == NULL || sandbox_fetch(e) < 0 ? say_broken(e) : run_exchange(f, t, s);
	fetch_tls_free(t);
	close(fd);
	return end;
}

static int usage(void)
{
	fprintf(stderr,
		"sekisho-fetch PATH BYTES SECONDS [SETTINGS]: a file of the update server of box.cfg, "
		"to standard output;\n"
		"at the console of the appliance: update check, update fetch\n"
		"sekisho-fetch --put NAME BYTES SECONDS [SETTINGS PASSWORD]: standard input to the backup server "
		"of box.cfg;\n"
		"sekisho backup --scheduled starts it\n");
	return FETCH_USAGE;
}

int main(int argc, char **argv)
{
	struct fetch f = { .puts = argc > 1 && strcmp(argv[1], "--put") == 0 };
	const char *settings = f.puts ? PUT_SETTINGS : SETTINGS, *password = PASSWORD;
	struct fetch_settings s;
	struct err e = { 0 };
	uint64_t seconds = 0;
	enum fetch_end end = FETCH_DONE;
	int r;

	argc -= f.puts;
	argv += f.puts;
	if ((argc != 4 && argc != (f.puts ? 6 : 5)) || !(f.puts ? plain_word(argv[1]) : plain_path_text(argv[1])) ||
	    !read_number(argv[2], UINT32_MAX, &f.most) || !read_number(argv[3], SECONDS_MOST, &seconds))
		return usage();
	close_range(STDERR_FILENO + 1, ~0u, 0);
	/* set again in the sandbox, because the kernel clears it when the user changes */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* above the file size limit, write() then returns an error */
	f.path = argv[1];
	f.until = time_after(seconds * SECOND_NS);
	f.shows = isatty(STDERR_FILENO) == 1;
	if (argc > 4)
		settings = argv[4];
	if (argc > 5)
		password = argv[5];
	r = fetch_settings_read(settings, &s, &e);
	if (r == 0 && f.puts != (s.folder != NULL))
		r = err_set(&e, -EINVAL, "%s", settings);
	if (r == 0 && f.puts && s.user != NULL)
		end = sign_in(&f, s.user, password, &e);
	if (end == FETCH_DONE)
		end = r == -ENOENT ? FETCH_NOBODY : r < 0 ? say_broken(&e) : fetch(&f, &s, &e);
	fetch_settings_free(&s);
	return (int)end;
}
