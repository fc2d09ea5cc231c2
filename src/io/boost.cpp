// The one place where Asio is compiled (its separate compilation mode).
#include <boost/asio/impl/src.hpp>
