/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of a crane PLC: reads ten registers every 100 ms, and has a watchdog of 500 ms. A real
 * crane would stop each time the watchdog runs out; these times are counted. After every poll the
 * counts are written to FILE as one line of JSON.
 *
 *   poller ADDRESS PORT FILE
 */
#include <fcntl.h>
#include <modbus.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_MS 100
#define WATCHDOG_MS 500

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_until(int64_t at_ms)
{
	struct timespec ts = { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int main(int argc, char **argv)
{
	unsigned long polls = 0, errors = 0, trips = 0, connects = 0;
	int64_t last_good, next, longest = 0;
	bool connected = false, tripped = false;
	uint16_t reg[10];
	modbus_t *ctx;
	int out;

	if (argc != 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	ctx = modbus_new_tcp_pi(argv[1], argv[2]);
	out = open(argv[3], O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (ctx == NULL || out < 0)
		return 3;
	modbus_set_slave(ctx, 1);
	modbus_set_response_timeout(ctx, 0, 400000);
	last_good = next = now_ms();
	for (;;) {
		char line[200];
		int64_t now;
		int n;

		if (!connected && modbus_connect(ctx) == 0) {
			connected = true;
			connects++;
		}
		if (connected && modbus_read_registers(ctx, 0, 10, reg) == 10) {
			now = now_ms();
			polls++;
			if (now - last_good > longest)
				longest = now - last_good;
			/* An answer that comes after the watchdog ran out does not help: the crane
			 * has stopped. */
			if (now - last_good > WATCHDOG_MS && !tripped)
				trips++;
			last_good = now;
			tripped = false;
		} else {
			errors++;
			if (connected)
				modbus_close(ctx);
			connected = false;
			now = now_ms();
		}
		if (now - last_good > longest)
			longest = now - last_good;
		if (now - last_good > WATCHDOG_MS && !tripped) {
			tripped = true;
			trips++;
		}
		n = snprintf(
			line, sizeof(line),
			"{\"polls\":%lu,\"errors\":%lu,\"trips\":%lu,\"connects\":%lu,\"longest_gap_ms\":%lld}%30s\n",
			polls, errors, trips, connects, (long long)longest, "");
		if (pwrite(out, line, (size_t)n, 0) < 0)
			return 3;
		next += PERIOD_MS;
		if (next < now_ms())
			next = now_ms();
		wait_until(next);
	}
}
