/* flushes: how often a second this disk flushes a grown file, for two
 * seconds: what one durable answer at a time can be at the most. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char path[1024], block[2048] = {0};
    if (argc != 2 || snprintf(path, sizeof(path), "%s/flushes", argv[1]) < 0) {
        return 2;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    double start = now();
    unsigned long n = 0;
    while (fd >= 0 && now() < start + 2) {
        if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) ||
            fdatasync(fd) != 0) {
            return 1;
        }
        n++;
    }
    printf("## Disk\n\n2 KB written and flushed (fdatasync), one at a time: "
           "%.0f a second\n",
           (double)n / (now() - start));
    return fd >= 0 && close(fd) == 0 && unlink(path) == 0 ? 0 : 1;
}
