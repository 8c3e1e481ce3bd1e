//! Django's admin.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Server, folder};

/// The admin, as a project has it, with these users.
const ADMIN: &str = "\
import sys
from wsgiref.simple_server import make_server
import django
from django.conf import settings

host, port, database, *users = sys.argv[1:]
django_app, process = 'django.contrib.', 'django.template.context_processors.'
settings.configure(
    SECRET_KEY='key of ' + database, ALLOWED_HOSTS=['*'], ROOT_URLCONF='__main__', USE_TZ=True,
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': database}},
    DEFAULT_AUTO_FIELD='django.db.models.AutoField', STATIC_URL='/static/',
    SECURE_PROXY_SSL_HEADER=('HTTP_X_FORWARDED_PROTO', 'https'),
    INSTALLED_APPS=[django_app + name for name in
        ('admin', 'auth', 'contenttypes', 'sessions', 'messages', 'staticfiles')],
    MIDDLEWARE=[
        django_app + 'sessions.middleware.SessionMiddleware',
        'django.middleware.common.CommonMiddleware',
        'django.middleware.csrf.CsrfViewMiddleware',
        django_app + 'auth.middleware.AuthenticationMiddleware',
        django_app + 'messages.middleware.MessageMiddleware'],
    TEMPLATES=[{
        'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True,
        'OPTIONS': {'context_processors': [
            process + 'request', django_app + 'auth.context_processors.auth',
            django_app + 'messages.context_processors.messages']}}],
)
django.setup()

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

urlpatterns = [path('admin/', admin.site.urls)]
call_command('migrate', verbosity=0)
for user in users:
    name, password = user.split(':')
    User.objects.create_superuser(name, password=password)
make_server(host, int(port), get_wsgi_application()).serve_forever()
";

/// Django's admin with these superusers, each `name:password`, and a database of its own. It
/// writes a line for each request.
pub(crate) fn django(dir: &Path, name: &str, address: SocketAddr, users: &[&str]) -> Server {
    let dir = folder(dir, name);
    let script = dir.join("admin.py");
    fs::write(&script, ADMIN).unwrap();
    // Debian's own: it has Debian's libraries.
    let mut command = Command::new("/usr/bin/python3");
    command.arg("-u").arg(script).arg(address.ip().to_string()).arg(address.port().to_string());
    command.arg(dir.join("db.sqlite3")).args(users);
    Server::start(&dir, command).until_listening(address)
}
