/// Linux system interfaces: epoll, sockets, eventfd, files, clock.
